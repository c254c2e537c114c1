/** The entries of a list that is separated by commas, without the space around them; empty ones are none. */
export function commaSeparated(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
