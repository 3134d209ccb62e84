import { stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../foundation/errors.ts';

/**
 * Name of a file below `folder`, its size and its time of change, which a new owner or new permissions
 * change too; for an inaccessible file, the reason.
 */
export async function fileStamp(folder: string, name: string): Promise<string> {
  try {
    const { size, ctimeMs } = await stat(path.join(folder, name));
    return `${name} ${size} ${ctimeMs}`;
  } catch (cause) {
    return `${name} ${messageOf(cause)}`;
  }
}
