/**
 * Puts a message on one line. It may quote several lines of another program or a file, and control
 * characters would move the terminal's cursor.
 */
export function oneLine(message: string): string {
  return message
    .trim()
    .replaceAll(/\s*[\n\r]\s*|\t/g, ' ')
    .replaceAll(/\p{Cc}/gu, (character) => {
      return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
    });
}
