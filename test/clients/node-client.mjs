/**
 * What programs on Node do, run by Node itself: node:http with a keep-alive agent, and fetch, which is undici there. It
 * prints what it saw as one line of JSON.
 */
import { Agent, request } from 'node:http';
import { ReadableStream } from 'node:stream/web';

const url = process.argv[2];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function exchange(path, { method = 'GET', body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { agent, method }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (piece) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode, text, reused: sent.reusedSocket }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const http = [];
for (let count = 0; count < 3; count++)
  http.push(await exchange('/echo', { method: 'POST', body: `body ${count}` }));
http.push(await exchange('/download/3', { method: 'HEAD' }), await exchange('/download/3'));
agent.destroy();

const pieces = ReadableStream.from(['streamed ', 'by ', 'undici'].map((text) => Buffer.from(text)));
const streamed = await fetch(`${url}/echo`, { method: 'POST', body: pieces, duplex: 'half' });
const large = await fetch(`${url}/download/20000000`);
const fetched = [await streamed.text(), (await large.arrayBuffer()).byteLength];

console.log(JSON.stringify({ http, fetched }));
