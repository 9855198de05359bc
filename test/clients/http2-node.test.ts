import { expect } from 'bun:test';
import { needs } from '../support/program.ts';
import { RunningProgram } from '../support/running-program.ts';
import { onEachTransport, startHttp2 } from './http2-server.ts';
import { playScenarios, scenarioCommand } from './play-scenario.ts';

const CLIENT = { runtime: 'node', file: './http2-node-client.mjs' } as const;

onEachTransport('node:http2 of Node', (transport) => {
  const withNode = needs('node');

  withNode('has 400 uploads on one connection, 100 at once, and each gets its own answer', async () => {
    await using server = await startHttp2(transport);
    expect(await playScenarios(CLIENT, server.url, 'manyStreams')).toEqual([
      { maxConcurrentStreams: 100, enableConnectProtocol: true, wrong: 0 },
    ]);
  });

  withNode('gets trailers, and with them the end of the stream', async () => {
    await using server = await startHttp2(transport);
    expect(await playScenarios(CLIENT, server.url, 'trailers')).toEqual([
      { content: 'content', size: '7', isEnd: true },
    ]);
  });

  withNode('holds back one download by not reading it, and no other', async () => {
    await using server = await startHttp2(transport);
    expect(await playScenarios(CLIENT, server.url, 'slowReader')).toEqual([
      { beside: true, isHeldBack: true, size: 8 * 1024 * 1024 },
    ]);
  });

  withNode('is held back where the application does not read, and goes on beside that', async () => {
    await using server = await startHttp2(transport, '--max-body-size', '0');
    expect(await playScenarios(CLIENT, server.url, 'unreadUpload')).toEqual([{ isHeldBack: true, wrong: 0 }]);
  });

  withNode('has a WebSocket through a stream, closed in order', async () => {
    await using server = await startHttp2(transport);
    expect(await playScenarios(CLIENT, server.url, 'webSocket')).toEqual([
      {
        status: 200,
        subprotocol: 'echo.example',
        accept: 'none',
        isSame: true,
        close: '880203e8',
        resetCode: 0,
      },
    ]);
    await server.program.said(/websocket \/echo over HTTP\/2\n/);
    await server.program.said(/\/echo ended with 1000 ''/);
  });

  withNode(
    'sees INTERNAL_ERROR when the application fails half-way, and the connection goes on',
    async () => {
      await using server = await startHttp2(transport);
      expect(await playScenarios(CLIENT, server.url, 'reset')).toEqual([
        { code: 'ERR_HTTP2_STREAM_ERROR', resetCode: 2, goesOn: 'still here' },
      ]);
    },
  );

  withNode('is told to go, and gets the answers to 200 requests that have begun', async () => {
    await using server = await startHttp2(transport);
    const seen = playScenarios(CLIENT, server.url, 'goingAway');
    await server.program.said(/held 200\n/);
    server.program.kill('SIGTERM');
    expect(await seen).toEqual([{ lost: 0, codes: [0, 0] }]);
    expect((await server.program.end()).exitCode).toBe(0);
  });

  withNode('loses nothing that was accepted when the server goes under load', async () => {
    await using server = await startHttp2(transport);
    await using load = new RunningProgram(scenarioCommand(CLIENT, server.url, 'underLoad'));
    await load.said(/under load\n/);
    server.program.kill('SIGTERM');
    expect((await load.end()).output).toEndWith('[{"isMany":true,"lost":0}]\n');
    expect((await server.program.end()).exitCode).toBe(0);
  });
});
