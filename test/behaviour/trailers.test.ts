/**
 * Response trailers (RFC 9110 6.5): announced at the start, sent once, behind the last piece of the body.
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { until } from '../support/within.ts';
import { httpApp } from './apps.ts';
import { CARRIERS, H1_CARRIERS, onEach } from './carriers.ts';

onEach(CARRIERS, (carrier) => {
  test('trailers follow the body in order, repeats kept, and the connection goes on', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200, trailers: true });
        await send({ type: 'http.response.body', body: 'one', more: true });
        await send({ type: 'http.response.body', body: 'two' });
        const headers = [
          ['x-sum', '1'],
          ['X-Sum', '2'],
          ['server-timing', 'db;dur=1'],
        ] as const;
        await send({ type: 'http.response.trailers', headers });
      }),
    );
    const client = await server.connect();
    for (let i = 0; i < 2; i++) {
      const response = await client.request();
      expect(response.body.toString()).toBe('onetwo');
      const sent = [
        ['x-sum', '1'],
        ['X-Sum', '2'],
        ['server-timing', 'db;dur=1'],
      ] as const;
      expect(response.trailers).toEqual(carrier.fields(sent));
    }
  });

  test('announced trailers may be empty', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200, trailers: true });
        await send({ type: 'http.response.body', body: '' });
        await send({ type: 'http.response.trailers' });
      }),
    );
    expect(await server.request()).toMatchObject({ isComplete: true, trailers: [], body: Buffer.alloc(0) });
  });

  test('a response is not complete before its trailers', async () => {
    const seen: boolean[] = [];
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        const connection = scope['tsagi.connection'];
        connection.onComplete(() => seen.push(connection.responseComplete));
        await send({ type: 'http.response.start', status: 200, trailers: true });
        await send({ type: 'http.response.body', body: 'x' });
        seen.push(connection.responseComplete);
        await send({ type: 'http.response.trailers', headers: [['x-a', '1']] });
      }),
    );
    expect((await server.request()).trailers).toEqual([['x-a', '1']]);
    await until(() => seen.length === 2, 'onComplete');
    expect(seen).toEqual([false, true]);
  });

  test('an app that returns without the trailers it announced breaks its response off', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200, trailers: true });
        await send({ type: 'http.response.body', body: 'content' });
      }),
    );
    const client = await server.connect();
    expect((await client.request()).isComplete).toBe(false);
    expect(await client.ended()).toBe(carrier.brokenOff);
    expect(server.errors).toHaveLength(1);
  });

  test('to HEAD neither content nor trailers are sent', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200, trailers: true });
        await send({ type: 'http.response.body', body: 'content' });
        await send({ type: 'http.response.trailers', headers: [['x-a', '1']] });
      }),
    );
    const client = await server.connect();
    expect((await client.request({ method: 'HEAD' })).isComplete).toBe(true);
    expect((await client.request()).trailers).toEqual([['x-a', '1']]);
  });
});

onEach(H1_CARRIERS, (carrier) => {
  test('with trailers the content is chunked even where the app declares its length', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        const headers = [['content-length', '3']] as const;
        await send({ type: 'http.response.start', status: 200, headers, trailers: true });
        await send({ type: 'http.response.body', body: 'abc' });
        await send({ type: 'http.response.trailers', headers: [['x-a', '1']] });
      }),
    );
    const response = await server.request();
    expect(response).toMatchObject({ framing: 'chunked', trailers: [['x-a', '1']], isComplete: true });
    expect(header(response, 'content-length')).toBeUndefined();
  });
});
