import { describe, expect } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { RunningProgram, startServer } from '../support/running-program.ts';

describe('a client that takes bytes as fast as the application sends them', () => {
  needs('curl')(
    'keeps no other client waiting for ever, and does not keep the server from ending',
    async () => {
      await using server = startServer('test/clients/app.ts', ['--port', '0', '--shutdown-timeout', '0.1']);
      const url = await server.url();
      await using greedy = new RunningProgram([
        programPath('curl'),
        '-sN',
        '-D',
        '-',
        '-o',
        '/dev/null',
        `${url}/drip`,
      ]);
      await greedy.said(/^HTTP\/1\.1 200/);
      for (let i = 0; i < 20; i++) expect((await fetch(`${url}/status/204`)).status).toBe(204);
      server.kill('SIGTERM');
      expect((await server.end()).exitCode).toBe(0);
      // 18: the transfer was cut short; 56: the connection was reset.
      expect((await greedy.end()).exitCode).toBeOneOf([18, 56]);
    },
  );
});
