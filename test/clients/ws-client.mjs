/**
 * What a client does with the `ws` package on Node, where it has more to say than a browser may: fragments, pings, the options of
 * permessage-deflate, the response to a refused handshake. Each member of `scenarios` takes the server's address and
 * returns what the client saw, as data.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

const MIB = 1024 * 1024;
const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, MIB, 16 * MIB];

async function open(url, path, { protocols = [], ...options } = {}) {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols, options);
  await once(socket, 'open');
  return socket;
}

async function closed(socket) {
  const [code, reason] = await once(socket, 'close');
  return { code, reason: reason.toString() };
}

/** The messages to come, in order: Buffers for binary ones, strings for text. */
function messages(socket, count) {
  const received = [];
  return new Promise((resolve, reject) => {
    socket.on('message', (data, isBinary) => {
      received.push(isBinary ? data : data.toString());
      if (received.length === count) resolve(received);
    });
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code} after ${received.length} messages`)));
  });
}

/** What of `samples` does not come back as it was. */
async function lost(socket, samples) {
  const echoes = messages(socket, samples.length);
  for (const sample of samples) socket.send(sample);
  const received = await echoes;
  const isSame = (sent, got) => (typeof sent === 'string' ? sent === got : Buffer.compare(sent, got) === 0);
  return samples.flatMap((sample, index) => (isSame(sample, received[index]) ? [] : [index]));
}

/** What the server answers a handshake with that it does not accept. */
async function denial(url, path, options) {
  const socket = new WebSocket(url.replace('http', 'ws') + path, options);
  const [, response] = await once(socket, 'unexpected-response');
  const { statusCode: status, headers } = response;
  return { status, headers, body: await text(response) };
}

/** Echoes with what both sides compress, what is too small for that, and what does not compress. */
async function echoCompressed(url, perMessageDeflate) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/echo`, { perMessageDeflate });
  const [[response]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
  const lines = Array.from({ length: 3000 }, (_, index) => `line ${index} of some text\n`).join('');
  const samples = ['', 'short', lines, randomBytes(70_000), lines, Buffer.alloc(MIB)];
  const missing = await lost(socket, samples);
  const { bytesRead, bytesWritten } = response.socket;
  socket.terminate();
  const agreed = response.headers['sec-websocket-extensions'] ?? '';
  return { agreed, missing, isSentSmaller: bytesWritten < MIB, isReceivedSmaller: bytesRead < MIB };
}

export const scenarios = {
  async sizes(url) {
    const socket = await open(url, '/echo', { perMessageDeflate: false });
    const missing = await lost(
      socket,
      SIZES.flatMap((size) => [randomBytes(size), 'y'.repeat(size)]),
    );
    const close = closed(socket);
    socket.close(3000, 'alles da');
    return { missing, close: await close };
  },

  async fragments(url) {
    const socket = await open(url, '/echo');
    const echoes = messages(socket, 3);
    const pong = once(socket, 'pong');
    const sign = Buffer.from('€');
    // A character in two pieces, and a ping between them.
    socket.send(sign.subarray(0, 1), { fin: false, binary: false });
    socket.ping('between');
    socket.send(sign.subarray(1), { fin: false });
    socket.send('', { fin: true });
    for (let piece = 0; piece < 100; piece++) socket.send(Buffer.of(piece), { fin: false, binary: true });
    socket.send(Buffer.of(100), { fin: true });
    socket.send('whole');
    const [euro, bytes, whole] = await echoes;
    return {
      euro,
      isInOrder: bytes.every((byte, index) => byte === index),
      size: bytes.length,
      whole,
      pong: String(await pong),
    };
  },

  async pings(url) {
    const socket = await open(url, '/echo');
    const payloads = ['', 'ping', 'z'.repeat(125)];
    const pongs = [];
    const all = new Promise((resolve) => {
      socket.on('pong', (payload) => {
        if (pongs.push(payload.toString()) === payloads.length) resolve();
      });
    });
    socket.pong('unasked for');
    for (const payload of payloads) socket.ping(payload);
    await all;
    return { areAnswered: pongs.every((pong, index) => pong === payloads[index]) };
  },

  /** The server's pings, answered by ws itself, do not end a session; their absence of an answer does. */
  async keptAlive(url) {
    const quiet = await open(url, '/echo', { autoPong: false });
    const lively = await open(url, '/echo');
    const close = await closed(quiet);
    return { close, missing: await lost(lively, ['still there']) };
  },

  async inOrder(url) {
    const socket = await open(url, '/echo', { perMessageDeflate: { threshold: 0 } });
    const sent = Array.from({ length: 1000 }, (_, index) => `${index} ${'x'.repeat((index * 37) % 3000)}`);
    return 1000 - (await lost(socket, sent)).length;
  },

  async counting(url) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/counting/1000`);
    const numbers = await messages(socket, 1000);
    return numbers.every((number, index) => number === String(index));
  },

  async closes(url) {
    const byClient = [[], [1000], [1001, 'gone'], [1013, 'später'], [4999, 'r'.repeat(123)]];
    const answers = byClient.map(async (args) => {
      const socket = await open(url, '/echo');
      const close = closed(socket);
      socket.close(...args);
      return (await close).code;
    });
    const byServer = ['/closing/1000', '/closing/1011/oh', `/closing/4000/${'s'.repeat(123)}`].map(
      async (path) => {
        const socket = await open(url, path);
        const close = closed(socket);
        socket.send('go');
        return await close;
      },
    );
    return { byClient: await Promise.all(answers), byServer: await Promise.all(byServer) };
  },

  async terminated(url) {
    (await open(url, '/echo')).terminate();
    return 'terminated';
  },

  async tooBig(url) {
    const attempts = [
      { perMessageDeflate: false, data: Buffer.alloc(1001) },
      { perMessageDeflate: true, data: Buffer.alloc(2 * MIB) },
    ].map(async ({ data, perMessageDeflate }) => {
      const socket = await open(url, '/echo', { perMessageDeflate });
      const missing = await lost(socket, [Buffer.alloc(1000)]);
      const close = closed(socket);
      socket.send(data);
      return { missing, code: (await close).code };
    });
    return await Promise.all(attempts);
  },

  async denials(url) {
    return await Promise.all([
      denial(url, '/refused'),
      denial(url, '/denied'),
      denial(url, '/echo', { protocolVersion: 8 }),
    ]);
  },

  async compressed(url) {
    const bits = [8, 9, 10, 11, 12, 13, 14, 15];
    const options = {
      all: { threshold: 0 },
      none: { threshold: 64 * MIB },
      noTakeover: { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 },
      off: false,
    };
    const seen = {};
    for (const [name, option] of Object.entries(options)) seen[name] = await echoCompressed(url, option);
    for (const bit of bits) {
      seen[`server ${bit}`] = await echoCompressed(url, { serverMaxWindowBits: bit });
      seen[`client ${bit}`] = await echoCompressed(url, { clientMaxWindowBits: bit });
    }
    return seen;
  },

  async uncompressed(url) {
    return await echoCompressed(url, { threshold: 0 });
  },

  /** Takes one message in each turn of the event loop, so that the server is the faster one. */
  async slowly(url) {
    const socket = await open(url, '/download/1000', { perMessageDeflate: false });
    let size = 0;
    return await new Promise((resolve) => {
      socket.on('message', (data, isBinary) => {
        if (!isBinary) resolve({ size, most: Number(data) });
        size += data.length;
        socket.pause();
        setImmediate(() => socket.resume());
      });
    });
  },

  /** Fifty sessions that stay until the server ends them. */
  async stay(url) {
    const sockets = await Promise.all(Array.from({ length: 50 }, () => open(url, '/echo')));
    const closes = Promise.all(sockets.map(closed));
    console.log('all are open');
    return [...new Set((await closes).map(({ code, reason }) => `${code} ${reason}`))];
  },
};
