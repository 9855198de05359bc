/**
 * What a client does with node:http2 on Node. Each member of `scenarios` takes the server's address and returns what the client
 * saw, as data.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { buffer, text } from 'node:stream/consumers';

const MIB = 1024 * 1024;

async function open(url) {
  const session = connect(url, { rejectUnauthorized: false });
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  return session;
}

async function answered(stream) {
  const [headers] = await once(stream, 'response');
  return headers;
}

/** Sends, and reads the answer meanwhile. */
async function exchange(session, path, body) {
  const stream = session.request({ ':path': path, ':method': body ? 'POST' : 'GET' }, { endStream: !body });
  if (body) stream.end(body);
  return await buffer(stream);
}

function digestOf(bytes) {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** One WebSocket message of a client, masked with zeros. */
function messageFrame(payload) {
  const head = Buffer.alloc(8);
  head[0] = 0x82;
  head[1] = 0x80 | 126;
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** Messages come back without a mask. */
function echoFrame(payload) {
  const head = Buffer.alloc(4);
  head[0] = 0x82;
  head[1] = 126;
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

async function take(stream, size) {
  const pieces = [];
  let left = size;
  while (left > 0) {
    const piece =
      stream.read(Math.min(left, stream.readableLength)) ?? (await once(stream, 'readable'), null);
    if (piece === null) continue;
    pieces.push(piece);
    left -= piece.length;
  }
  return Buffer.concat(pieces);
}

export const scenarios = {
  /** More streams than the server lets run at once: the client keeps the others back. */
  async manyStreams(url) {
    const session = await open(url);
    const bodies = Array.from({ length: 400 }, (_, index) => randomBytes(index * 100));
    const answers = await Promise.all(bodies.map((body) => exchange(session, '/digest', body)));
    const { maxConcurrentStreams, enableConnectProtocol } = session.remoteSettings;
    session.close();
    return {
      maxConcurrentStreams,
      enableConnectProtocol,
      wrong: answers.filter((content, index) => content.toString() !== digestOf(bodies[index])).length,
    };
  },

  async trailers(url) {
    const session = await open(url);
    const stream = session.request({ ':path': '/trailers', ':method': 'POST' });
    stream.end('content');
    const trailers = once(stream, 'trailers');
    const content = await text(stream);
    const [fields, flags] = await trailers;
    session.close();
    return { content, size: fields['x-size'], isEnd: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0 };
  },

  /** A download that is not read does not hold up another stream, and loses nothing. */
  async slowReader(url) {
    const session = await open(url);
    const slow = session.request({ ':path': `/download/${8 * MIB}` });
    await answered(slow);
    const beside = await Promise.all(Array.from({ length: 20 }, () => exchange(session, '/download/100000')));
    const held = slow.readableLength;
    const content = await buffer(slow);
    session.close();
    return {
      beside: beside.every(({ length }) => length === 100_000),
      isHeldBack: held < MIB,
      size: content.length,
    };
  },

  /** An upload that the application does not read stops at its stream's window; others go on. */
  async unreadUpload(url) {
    const session = await open(url);
    const unread = session.request({ ':path': '/held/unread', ':method': 'POST' });
    unread.on('error', () => {});
    let sent = 0;
    const piece = Buffer.alloc(16_384);
    for (let count = 0; count < 512; count++) unread.write(piece, () => (sent += piece.length));
    const uploads = Array.from({ length: 10 }, () => randomBytes(MIB));
    const answers = await Promise.all(uploads.map((body) => exchange(session, '/digest', body)));
    const isHeldBack = sent < MIB;
    unread.close(constants.NGHTTP2_CANCEL);
    session.close();
    return {
      isHeldBack,
      wrong: answers.filter((content, index) => content.toString() !== digestOf(uploads[index])).length,
    };
  },

  /** WebSocket messages through a tunnel of HTTP/2 (RFC 8441), and a close handshake that ends the stream. */
  async webSocket(url) {
    const session = await open(url);
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': '/echo',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'other, echo.example',
      },
      { endStream: false },
    );
    const headers = await answered(stream);
    const payloads = Array.from({ length: 200 }, (_, index) => randomBytes(126 + index * 250));
    const expected = Buffer.concat(payloads.map(echoFrame));
    for (const payload of payloads) stream.write(messageFrame(payload));
    const echoes = await take(stream, expected.length);
    stream.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]));
    const close = await take(stream, 4);
    stream.end();
    stream.resume();
    await once(stream, 'close');
    session.close();
    return {
      status: headers[':status'],
      subprotocol: headers['sec-websocket-protocol'],
      accept: headers['sec-websocket-accept'] ?? 'none',
      isSame: expected.equals(echoes),
      close: close.toString('hex'),
      resetCode: stream.rstCode,
    };
  },

  async reset(url) {
    const session = await open(url);
    const stream = session.request({ ':path': '/broken' });
    const failure = once(stream, 'error').catch((error) => [error]);
    stream.resume();
    const [error] = await Promise.race([failure, once(stream, 'end').then(() => [{ code: 'ended' }])]);
    const goesOn = (await exchange(session, '/echo', Buffer.from('still here'))).toString();
    session.close();
    return { code: error.code, resetCode: stream.rstCode, goesOn };
  },

  /** 200 requests that the server has begun with when it is told to go: it answers all of them. */
  async goingAway(url) {
    const sessions = await Promise.all([open(url), open(url)]);
    const farewells = sessions.map((session) => once(session, 'goaway'));
    const closes = sessions.map((session) => once(session, 'close'));
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const stream = sessions[index % 2].request({ ':path': `/held/${index}` });
        return (await text(stream)) === `/held/${index}`;
      }),
    );
    const codes = (await Promise.all(farewells)).map(([code]) => code);
    await Promise.all(closes);
    return { lost: answers.filter((isWhole) => !isWhole).length, codes };
  },

  /** New requests one after another on many sessions, until the server goes: what it has accepted it answers. */
  async underLoad(url) {
    const sessions = await Promise.all(Array.from({ length: 10 }, () => open(url)));
    let answeredCount = 0;
    let lostCount = 0;
    const work = async (session) => {
      while (!session.closed && !session.destroyed) {
        const stream = session.request({ ':path': '/download/20000' });
        const content = await buffer(stream).catch(() => undefined);
        if (content?.length === 20_000) answeredCount++;
        // RFC 9113 8.7: only what the server says it has not processed may be tried again elsewhere.
        else if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM) lostCount++;
        if (answeredCount === 500) console.error('under load');
      }
    };
    await Promise.all(sessions.flatMap((session) => Array.from({ length: 20 }, () => work(session))));
    return { isMany: answeredCount > 500, lost: lostCount };
  },
};
