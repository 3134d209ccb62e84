/** A message in one line: parts of it may quote what another program said in several. */
export function oneLine(message: string): string {
  return message.trim().replaceAll(/\s*\n\s*/g, ' ');
}
