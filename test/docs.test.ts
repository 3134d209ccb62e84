import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import packageFile from '../package.json' with { type: 'json' };
import { parseStartArguments } from '../scripts/start/arguments.mjs';
import { ERROR_CODES } from '../src/foundation/errors.ts';
import { STUDY_FILES } from '../src/run-folder/study-result.ts';
import { bindSearchSpace, parseNasSpace, parseSkeleton } from '../src/searchspace/parse.ts';

const ROOT = join(import.meta.dirname, '..');

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function filesBelow(folder: string, suffix: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(suffix)).map((name) => join(folder, name));
}

const PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...filesBelow('docs', '.md')];

const CODE = /```[^]*?```|`[^`]+`/g;

/** Commands in a page's code, one a line, without comments. */
function commandsIn(page: string): string[] {
  const code = read(page).match(CODE) ?? [];
  return code
    .flatMap((snippet) => snippet.replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => line.replace(/`+/g, '').split(/ #|&&|\s\|\s|;/))
    .map((command) => command.trim());
}

function matchesInCommands(pattern: RegExp): { page: string; rest: string }[] {
  return PAGES.flatMap((page) =>
    commandsIn(page).flatMap((command) => {
      const rest = pattern.exec(command)?.[1];
      return rest === undefined ? [] : [{ page, rest }];
    }),
  );
}

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

function headingsIn(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
}

/** Cells of each row of a page's tables, without the rows at their head. */
function rowsIn(page: string): string[] {
  const lines = read(page).split('\n');
  const isRule = (line = ''): boolean => /^\|[-| ]+$/.test(line);
  return lines.filter((line, i) => line.startsWith('|') && !isRule(line) && !isRule(lines[i + 1]));
}

describe('errors.md', () => {
  it('has one heading for each error code and no other code', () => {
    const documented = headingsIn('docs/reference/errors.md').filter((it) => /^[A-Z_]+$/.test(it));
    assert.deepEqual(documented, [...ERROR_CODES]);
  });
});

describe('fidelity.md', () => {
  const rows = rowsIn('docs/fidelity.md');

  it('has a row for every deviation that the source names', () => {
    const documented = rows.flatMap((row) => /^\| (D\d+) /.exec(row)?.[1] ?? []);
    const named = filesBelow('src', '.ts').flatMap((file) => {
      const text = read(file).replace(/\n\s*\*?\s*/g, ' ');
      return [...text.matchAll(/deviations? (D\d[^.;)*]*)/gi)].flatMap(([, ids = '']) =>
        idsIn(ids),
      );
    });
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter((id) => !documented.includes(id)),
      [],
    );
    assert.equal(new Set(documented).size, documented.length);
  });

  it('points at exports that exist', () => {
    for (const row of rows) {
      const [, file = '', name = ''] = /`([\w/-]+\.ts) (\w+)`/.exec(row) ?? [];
      assert.ok(existsSync(join(ROOT, 'src', file)) && name !== '', row);
      const declared = `export (async )?(function\\*?|const|class|interface|type) ${name}\\b`;
      assert.match(read(join('src', file)), new RegExp(declared), `${file} ${name}`);
    }
  });

  it('points at tests that exist', () => {
    for (const row of rows) {
      const [, file = '', title = ''] = /`([\w/-]+\.test\.ts)` "(.*?)" +\|/.exec(row) ?? [];
      assert.ok(existsSync(join(ROOT, 'test', file)) && title !== '', row);
      const isOpen = title.endsWith('…');
      const starts = ["'", '"', '`'].map((quote) =>
        isOpen ? quote + title.slice(0, -1) : quote + title + quote,
      );
      const text = read(join('test', file));
      assert.ok(
        starts.some((start) => text.includes(start)),
        `${file} has no test "${title}"`,
      );
    }
  });
});

/** `D2, D3 and D9 to D11` as D2, D3, D9, D10, D11. */
function idsIn(text: string): string[] {
  return [...text.matchAll(/D(\d+)(?: to D(\d+))?/g)].flatMap(([, first, last = first]) => {
    const count = Number(last) - Number(first) + 1;
    return Array.from({ length: count }, (_, i) => `D${Number(first) + i}`);
  });
}

describe('study.md', () => {
  const page = read('docs/study.md');

  it('has the place that the study of the product is written into, and the command for it', () => {
    const [begin, end] = ['<!-- study: begin -->\n', '<!-- study: end -->'].map((mark) =>
      page.indexOf(mark),
    ) as [number, number];
    assert.ok(begin > 0 && end > begin);
    assert.match(page, /npm run study/);
    const [, file = ''] = /cli\/main\.js study (\S+)$/.exec(packageFile.scripts.study) ?? [];
    assert.ok(existsSync(join(ROOT, file)) && page.includes(`](../${file})`), file);
  });

  it('names the files of a study as they are', () => {
    for (const name of Object.values(STUDY_FILES)) assert.ok(page.includes(`\`${name}\``), name);
  });
});

describe('links', () => {
  it('lead to files and headings that exist', () => {
    for (const page of PAGES) {
      for (const [, link = ''] of read(page)
        .replaceAll(CODE, '')
        .matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(link)) continue;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        assert.ok(existsSync(join(ROOT, target)), `${page}: ${link}`);
        if (anchor === undefined) continue;
        assert.ok(headingsIn(target).map(anchorOf).includes(anchor), `${page}: ${link}`);
      }
    }
  });
});

describe('commands in the pages', () => {
  const help = new Map<string, string>();
  const helpOf = (words: readonly string[]): string => {
    const key = words.join(' ');
    const known = help.get(key);
    if (known !== undefined) return known;
    const args = ['--import', 'tsx', 'src/cli/main.ts', ...words, '--help'];
    const text = execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    help.set(key, text);
    return text;
  };

  it('are commands of nni-cream, with options that they have', () => {
    const commands = matchesInCommands(/(?:nni-cream|cli\/main\.js) ([a-z].*)/);
    assert.ok(commands.length > 10);
    for (const { page, rest } of commands) {
      const words = rest.split(/\s+/);
      const names = /^[a-z]+(?: [a-z]+(?= |$))*/.exec(rest)?.[0] ?? '';
      const text = helpOf(names.split(' '));
      const [, own = '', isGroup] =
        /^Usage: nni-cream ([a-z ]*[a-z])?.*?(\[command\])?\n/.exec(text) ?? [];
      // A group that was given a name shows its own help: the name is none of its commands.
      const isCommand = isGroup === undefined ? names.startsWith(own) : names === own;
      assert.ok(own !== '' && isCommand, `${page}: ${rest}`);
      for (const option of words.filter((word) => /^--?[a-z]/.test(word))) {
        assert.ok(text.split(/[\s,]+/).includes(option), `${page}: ${rest}: no ${option}`);
      }
    }
  });

  it('are scripts of npm that exist, with arguments that npm start takes', () => {
    const scripts = Object.keys(packageFile.scripts);
    const commands = matchesInCommands(/^npm (.*)/);
    for (const { page, rest } of commands) {
      const words = rest.split(/\s+/).filter((word) => word !== '--silent');
      const script = words[0] === 'run' ? words[1] : words[0];
      if (['ci', 'install', 'i', 'exec'].includes(script ?? '')) continue;
      assert.ok(scripts.includes(script ?? ''), `${page}: npm ${rest}`);
      const separator = words.indexOf('--');
      if (script === 'start' && separator > 0) parseStartArguments(words.slice(separator + 1));
    }
    assert.ok(commands.length > 3);
  });
});

describe('reference and guides', () => {
  it('configuration.md is what the schemas generate', () => {
    const args = ['--import', 'tsx', 'scripts/generate-reference.ts', '--check'];
    execFileSync(process.execPath, args, { cwd: ROOT });
  });

  it('the example of a skeleton and its space fit together', () => {
    const page = 'docs/guides/write-a-search-space.md';
    const [skeleton, space] = [...read(page).matchAll(/```json\n([^]*?)```/g)].map(
      ([, text = '']): unknown => JSON.parse(text),
    );
    const bound = bindSearchSpace(parseSkeleton(skeleton, page), parseNasSpace(space, page), page);
    assert.deepEqual(
      bound.choices.map(({ candidates }) => candidates.length),
      [3, 3, 3, 2],
    );
  });

  it('the example of an algorithm is the code of the product', () => {
    const folded = (text: string): string => text.replace(/\s+/g, ' ').trim();
    const source = filesBelow('src/algorithms', '.ts').map((file) => folded(read(file)));
    const page = read('docs/guides/add-an-algorithm.md');
    const blocks = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, text = '']) => folded(text));
    assert.ok(blocks.length >= 3);
    for (const block of blocks) {
      assert.ok(
        source.some((text) => text.includes(block)),
        block,
      );
    }
  });
});
