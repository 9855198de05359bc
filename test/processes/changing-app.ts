/**
 * An app in a directory of a test's own, whose files the test changes while it is served.
 */
import { writeFileSync } from 'node:fs';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Two files, because what an app imports must be as fresh as the app itself. */
const APP = `
import { version } from './version.ts';
const greeting = 'GREETING';
export const app = async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error('unsupported scope: ' + scope.type);
  await send({ type: 'http.response.start', status: 200 });
  await send({ type: 'http.response.body', body: greeting + ' ' + version + ' ' + process.pid });
};
`;

export class ChangingApp implements Disposable {
  readonly #directory = temporaryDirectory();

  constructor(version: string) {
    this.write(version);
  }

  get path(): string {
    return this.#directory.join('app.ts');
  }

  join(name: string): string {
    return this.#directory.join(name);
  }

  /** Answers with greeting, version and process from the next start on. */
  write(version: string, greeting = 'hello'): void {
    writeFileSync(this.#directory.join('version.ts'), `export const version = '${version}';\n`);
    writeFileSync(this.path, APP.replace('GREETING', greeting));
  }

  /** From the next start on it fails. */
  break(text = `throw new Error('this app is broken');`): void {
    writeFileSync(this.path, text);
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}
