import { stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../foundation/errors.ts';

/**
 * Names a file below `folder`, its size and the time when it was changed, which a new owner or new
 * permissions move as well; for a file that cannot be looked at, the reason.
 */
export async function fileStamp(folder: string, name: string): Promise<string> {
  try {
    const { size, ctimeMs } = await stat(path.join(folder, name));
    return `${name} ${size} ${ctimeMs}`;
  } catch (cause) {
    return `${name} ${messageOf(cause)}`;
  }
}
