import { stat } from 'node:fs/promises';
import path from 'node:path';

/** Names a file below `folder`, its size and its time of change. */
export async function fileStamp(folder: string, name: string): Promise<string> {
  const { size, mtimeMs } = await stat(path.join(folder, name));
  return `${name} ${size} ${mtimeMs}`;
}
