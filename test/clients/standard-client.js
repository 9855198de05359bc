/**
 * What a client does with the WebSocket that the WHATWG describes, in browsers, Node and Bun alike. Each member of `scenarios` takes the
 * server's address and returns what the client saw, as data. In a page, where this is a script, they are global.
 */
const TEXTS = ['', 'hello', 'Größe 42 € 👋', 'x'.repeat(300_000), 'ö'.repeat(70_000)];

function bytes(size) {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) % 256);
}

function open(url, path, protocols = []) {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve(socket));
    // Node 20 says so with an error event alone.
    socket.addEventListener('error', () => reject(new Error('no session')));
  });
}

function closed(socket) {
  return new Promise((resolve) =>
    socket.addEventListener('close', ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })),
  );
}

function messages(socket, count) {
  const received = [];
  return new Promise((resolve, reject) => {
    socket.addEventListener('message', ({ data }) => {
      received.push(data);
      if (received.length === count) resolve(received);
    });
    socket.addEventListener('close', ({ code }) =>
      reject(new Error(`closed with ${code} after ${received.length} messages`)),
    );
  });
}

/** What of `samples` does not come back as it was. */
async function lost(socket, samples) {
  const echoes = messages(socket, samples.length);
  for (const sample of samples) socket.send(sample);
  const received = await echoes;
  return samples.flatMap((sample, index) => (isSame(sample, received[index]) ? [] : [index]));
}

function isSame(sent, received) {
  if (typeof sent === 'string') return sent === received;
  if (!(received instanceof ArrayBuffer) || received.byteLength !== sent.length) return false;
  const copy = new Uint8Array(received);
  return sent.every((byte, index) => byte === copy[index]);
}

export const scenarios = {
  async echo(url) {
    const socket = await open(url, '/echo');
    const missing = await lost(socket, [...TEXTS, bytes(0), bytes(1), bytes(70_000), bytes(1_500_000)]);
    const close = closed(socket);
    socket.close(4321, 'genug für heute');
    return { missing, close: await close };
  },

  async blobs(url) {
    const socket = await open(url, '/echo');
    socket.binaryType = 'blob';
    const echoes = messages(socket, 2);
    socket.send(new Blob(['a blob']));
    socket.send(new Blob([]));
    return await Promise.all((await echoes).map(async (blob) => [blob instanceof Blob, await blob.text()]));
  },

  async subprotocols(url) {
    const offers = [['other', 'Chat.Two', 'echo.example'], []];
    return await Promise.all(offers.map(async (offer) => (await open(url, '/echo', offer)).protocol));
  },

  async closedByServer(url) {
    return await Promise.all(
      ['/closing/1000', '/closing/3999/so%20geht%20es%20f%C3%BCr%20alle', '/closing/1012/soon'].map(
        async (path) => {
          const socket = await open(url, path);
          const close = closed(socket);
          socket.send('go');
          return await close;
        },
      ),
    );
  },

  async closedWithoutCode(url) {
    const socket = await open(url, '/echo');
    const close = closed(socket);
    socket.close();
    return await close;
  },

  /** How many of 1000 messages in flight come back at their place. */
  async inOrder(url) {
    const socket = await open(url, '/echo');
    const sent = Array.from({ length: 1000 }, (_, index) => `${index} ${'x'.repeat((index * 37) % 3000)}`);
    return 1000 - (await lost(socket, sent)).length;
  },

  async refused(url) {
    const attempt = async (path) => {
      try {
        await open(url, path);
        return 'open';
      } catch (error) {
        return error.message;
      }
    };
    return [await attempt('/refused'), await attempt('/denied')];
  },

  async compressed(url) {
    const socket = await open(url, '/echo');
    const noise = crypto.getRandomValues(new Uint8Array(50_000));
    return {
      extensions: socket.extensions,
      missing: await lost(socket, [...TEXTS, noise, bytes(600_000)]),
    };
  },

  /** The server reads nothing until it is told to. */
  async heldBack(url) {
    const socket = await open(url, '/held');
    const piece = new Uint8Array(1024 * 1024);
    for (let count = 0; count < 24; count++) socket.send(piece);
    for (let count = 0; count < 20; count++) await (await fetch(url)).text();
    const isHeld = socket.bufferedAmount > 8 * 1024 * 1024;
    const close = closed(socket);
    socket.close(1000, 'all sent');
    await fetch(`${url}/release`);
    return { isHeld, close: await close, left: socket.bufferedAmount };
  },

  async stay(url) {
    return await closed(await open(url, '/echo'));
  },
};

globalThis.scenarios = scenarios;
