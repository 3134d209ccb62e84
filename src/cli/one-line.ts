/**
 * A message in one line: parts of it may quote what another program, or a file, said in several, and
 * control characters in it would move the terminal's cursor.
 */
export function oneLine(message: string): string {
  return message
    .trim()
    .replaceAll(/\s*[\n\r]\s*|\t/g, ' ')
    .replaceAll(/\p{Cc}/gu, (character) => {
      return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
    });
}
