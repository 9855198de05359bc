/**
 * The samples of the documents, as they stand there: a fenced block whose first line names the file that it is. A test that
 * changes something in one (a port, a path) names what stands there, so that neither can change alone.
 */
import { readFileSync } from 'node:fs';

const DOCS = new URL('../../docs/', import.meta.url).pathname;

/** The text of the block in `docs/<document>` whose first line ends with the name. */
export function sample(document: string, name: string): string {
  const text = readFileSync(`${DOCS}${document}`, 'utf8');
  const blocks = Array.from(text.matchAll(/^```\w+\n([\s\S]*?)^```$/gm), ([, block]) => block!);
  const found = blocks.filter((block) => block.slice(0, block.indexOf('\n')).endsWith(` ${name}`));
  if (found.length !== 1)
    throw new Error(`docs/${document} has ${found.length} samples that begin with ${name}`);
  return found[0]!;
}

/** Every key must be in the text. */
export function replaced(text: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`the sample does not contain: ${from}\n${text}`);
    return result.replaceAll(from, to);
  }, text);
}
