/**
 * A file to upload, in a directory of its own that goes with it, and the answer of `/digest` to it.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Upload implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'tsagi-clients-'));
  readonly file = join(this.directory, 'upload');
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: string;

  constructor(size: number) {
    this.bytes = Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) % 256);
    this.digest = `${size} ${createHash('sha256').update(this.bytes).digest('hex')}`;
    writeFileSync(this.file, this.bytes);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
