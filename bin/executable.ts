/**
 * The command as a program of its own, which `npm run build` makes of this file. What an app outside imports from
 * `tsagi-server` is the server that runs it, whether or not the package is installed beside the app.
 */
import { main } from '../src/cli/main.ts';
import * as publicSurface from '../src/index.ts';

Bun.plugin({
  name: 'tsagi-server-itself',
  setup(build) {
    build.module('tsagi-server', () => ({ exports: publicSurface, loader: 'object' }));
  },
});

await main();
