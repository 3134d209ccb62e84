import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import {
  FASHION_FILES,
  fetchFashionMnistFromDebian,
  runCommand,
  type RunCommand,
} from '../../../src/data/obtain/debian.ts';
import { downloadOnce } from '../../../src/data/obtain/download.ts';
import { defaultData, fetchDataset } from '../../../src/data/obtain/fetch.ts';
import { silentLogger } from '../../../src/foundation/logger.ts';
import { inFolder, recordingLogger, writeFiles } from '../support.ts';

const CONTENT = Buffer.from('the bytes of a data set');
const MD5 = createHash('md5').update(CONTENT).digest('hex');

/** Serves on a free port; counts the requests. */
async function serving(
  answer: RequestListener,
  use: (place: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  try {
    await use(`http://127.0.0.1:${address.port}/`, asked);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const noApt: RunCommand = () => Promise.reject(new Error('spawn apt-get ENOENT'));

/** Does what the three commands do, without a network. */
const fakeApt: RunCommand = async (command, args, folder) => {
  if (command === 'apt-get' && args.includes('download')) {
    await writeFile(path.join(folder, 'dataset-fashion-mnist_1_all.deb'), 'archive');
  }
  if (command === 'dpkg-deb') {
    const files = FASHION_FILES.map((name) => [
      `${args[2]!}/usr/share/datasets/fashion-mnist/${name}`,
      name,
    ]);
    await writeFiles(folder, Object.fromEntries(files) as Record<string, string>);
  }
};

describe('downloadOnce', () => {
  it('fetches a file once and keeps it while its checksum agrees', async () => {
    await inFolder(async (folder) => {
      const file = path.join(folder, 'deep', 'set.bin');
      await serving(
        (_, response) => response.end(CONTENT),
        async (place, asked) => {
          const remote = { url: `${place}set.bin`, md5: MD5 };
          await downloadOnce(remote, file, fetch);
          await downloadOnce(remote, file, fetch);
          assert.deepEqual(asked, ['/set.bin']);
          await writeFile(file, 'damaged');
          await downloadOnce(remote, file, fetch);
          assert.deepEqual(await readFile(file), CONTENT);
          assert.deepEqual(await readdir(path.dirname(file)), ['set.bin']);
        },
      );
    });
  });

  for (const [what, answer, message] of [
    [
      'a wrong checksum',
      (_, response) => response.end('other bytes'),
      new RegExp(`wanted MD5 ${MD5}`, 'u'),
    ],
    ['a missing file', (_, response) => response.writeHead(404).end('no'), /HTTP status 404/u],
    [
      'a body that is cut short',
      (_, response) => {
        response.writeHead(200, { 'content-length': CONTENT.length });
        response.write(CONTENT.subarray(0, 5), () => response.destroy());
      },
      /wanted the whole file/u,
    ],
  ] as const satisfies readonly (readonly [string, RequestListener, RegExp])[]) {
    it(`leaves nothing behind after ${what}`, async () => {
      await inFolder(async (folder) => {
        await serving(answer, async (place) => {
          const failing = downloadOnce(
            { url: `${place}set.bin`, md5: MD5 },
            path.join(folder, 'set.bin'),
            fetch,
          );
          await assert.rejects(failing, { code: 'DOWNLOAD_FAILED', message });
          assert.deepEqual(await readdir(folder), []);
        });
      });
    });
  }

  it('says that a place refuses connections', async () => {
    await inFolder(async (folder) => {
      let closed = '';
      await serving(
        () => undefined,
        async (place) => {
          closed = place;
          await Promise.resolve();
        },
      );
      const failing = downloadOnce({ url: closed, md5: MD5 }, path.join(folder, 'x'), fetch);
      await assert.rejects(failing, { code: 'DOWNLOAD_FAILED', message: /ECONNREFUSED/u });
    });
  });
});

describe('fetchDataset', () => {
  it('asks the official names and refuses other bytes', async () => {
    await inFolder(async (folder) => {
      await serving(
        (_, response) => response.end(CONTENT),
        async (place, asked) => {
          const options = { folder, fetch, run: noApt, logger: silentLogger, baseUrl: place };
          for (const name of ['cifar10', 'fashion-mnist'] as const) {
            await assert.rejects(fetchDataset(name, options), {
              code: 'DOWNLOAD_FAILED',
              message: /MD5/u,
            });
          }
          assert.deepEqual(asked, ['/cifar-10-binary.tar.gz', '/train-images-idx3-ubyte.gz']);
        },
      );
    });
  });

  it('prefers the Debian package and leaves only the four files', async () => {
    await inFolder(async (folder) => {
      const logger = recordingLogger();
      const options = { folder, fetch, run: fakeApt, logger, baseUrl: 'http://127.0.0.1:1/' };
      const place = await fetchDataset('fashion-mnist', options);
      assert.deepEqual((await readdir(place)).sort(), [...FASHION_FILES].sort());
      assert.deepEqual(await readdir(folder), ['fashion-mnist']);
      assert.ok(logger.lines.some((line) => line.includes("Debian's package")));
      const again = await fetchDataset('fashion-mnist', { ...options, run: noApt });
      assert.equal(again, place);
    });
  });
});

describe('fetchFashionMnistFromDebian', () => {
  it('keeps apt in a folder of its own, which is removed', async () => {
    await inFolder(async (folder) => {
      const commands: string[] = [];
      const run: RunCommand = async (command, args, place) => {
        commands.push([command, ...args].join(' '));
        await fakeApt(command, args, place);
      };
      await fetchFashionMnistFromDebian(path.join(folder, 'set'), { run, logger: silentLogger });
      assert.equal(commands.length, 3);
      for (const option of ['Dir::State', 'Dir::Cache']) {
        assert.ok(commands[0]?.includes(`${option}=${folder}`), commands[0]);
      }
      assert.deepEqual(await readdir(folder), ['set']);
    });
  });

  it('says what the program said when it fails, or that it is missing', async () => {
    await inFolder(async (folder) => {
      const failing: RunCommand = (_, __, place) =>
        runCommand(process.execPath, ['--eval', 'throw new Error("no such package")'], place);
      const missing: RunCommand = (_, __, place) => runCommand('no-such-program', [], place);
      for (const [run, message] of [
        [failing, /no such package/u],
        [missing, /ENOENT/u],
      ] as const) {
        const fetching = fetchFashionMnistFromDebian(path.join(folder, 'set'), {
          run,
          logger: silentLogger,
        });
        await assert.rejects(fetching, { code: 'DOWNLOAD_FAILED', message });
        assert.deepEqual(await readdir(folder), []);
      }
    });
  });
});

describe('defaultData', () => {
  it('is Fashion-MNIST where it can be had, else generated shapes, and says so', async () => {
    await inFolder(async (folder) => {
      const logger = recordingLogger();
      const offline = () => Promise.reject(new Error('no network'));
      const shapes = { classes: 2, train: 4, test: 2, size: 8, seed: 1 };
      const options = { folder, fetch: offline, run: noApt, logger, shapes };
      const place = await defaultData(options);
      assert.equal(place, path.join(folder, 'shapes'));
      assert.ok(
        logger.lines.some((line) =>
          /warning .*Fashion-MNIST cannot be had.*no network/u.test(line),
        ),
      );
      assert.ok(logger.lines.some((line) => line.includes('generated shapes')));
      assert.equal(
        await defaultData({ ...options, run: fakeApt }),
        path.join(folder, 'fashion-mnist'),
      );
    });
  });
});
