/**
 * The limit of descriptors, asked of another program too.
 */
import { expect, test } from 'bun:test';
import { raiseDescriptorLimit } from '../../src/os/limits.ts';
import { programPath, needs } from '../support/program.ts';
import { runProgram } from '../support/running-program.ts';

const MODULE = new URL('../../src/os/limits.ts', import.meta.url).pathname;

test('the soft limit of descriptors is the hard one afterwards', () => {
  const { soft, hard } = raiseDescriptorLimit();
  expect(soft).toBe(hard);
  expect(soft).toBeGreaterThan(0);
});

needs('prlimit')('a process that was started with a low soft limit gets the hard one', async () => {
  const code = `
    const { raiseDescriptorLimit } = await import(${JSON.stringify(MODULE)});
    const { execFileSync } = await import('node:child_process');
    execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=200:500']);
    const limits = raiseDescriptorLimit();
    const said = execFileSync('prlimit', ['--pid', String(process.pid), '--nofile', '--noheadings', '-o', 'SOFT,HARD']);
    console.log(JSON.stringify(limits), String(said).trim());`;
  const { output } = await runProgram([process.execPath, '-e', code], {
    env: { PATH: `${process.env['PATH']}:${programPath('prlimit').replace(/\/[^/]+$/, '')}` },
  });
  expect(output).toMatch(/^\{"soft":500,"hard":500\} 500 +500\n$/);
});
