/**
 * Datagrams, from one end to the other.
 */
import { closeSync, openSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import { sendDatagram, socketAddress } from '../../src/os/datagram-socket.ts';
import { DatagramReceiver } from '../support/datagram-receiver.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const IS_LINUX = process.platform === 'linux';

describe('a datagram', () => {
  test('reaches a socket with a path', () => {
    using directory = temporaryDirectory();
    using receiver = new DatagramReceiver(directory.join('socket'));
    sendDatagram(directory.join('socket'), 'READY=1\nSTATUS=grüße');
    expect(receiver.takeAll()).toEqual(['READY=1\nSTATUS=grüße']);
  });

  test.skipIf(!IS_LINUX)('reaches a socket with an abstract name', () => {
    const name = `@tsagi-test-${process.pid}`;
    using receiver = new DatagramReceiver(name);
    sendDatagram(name, 'one');
    sendDatagram(name, 'two');
    expect(receiver.takeAll()).toEqual(['one', 'two']);
  });

  test('to a socket that does not exist is an error that names it and the reason', () => {
    using directory = temporaryDirectory();
    const path = directory.join('nobody');
    expect(() => sendDatagram(path, 'x')).toThrow(`nothing can be sent to ${path}: ENOENT`);
  });

  test('to a receiver that is gone is an error', () => {
    using directory = temporaryDirectory();
    const path = directory.join('socket');
    new DatagramReceiver(path)[Symbol.dispose]();
    expect(() => sendDatagram(path, 'x')).toThrow('ECONNREFUSED');
  });

  test('to a receiver that takes nothing is an error in the end, and everything before it has arrived', () => {
    using directory = temporaryDirectory();
    const path = directory.join('socket');
    using receiver = new DatagramReceiver(path);
    let sent = 0;
    expect(() => {
      for (; sent < 100_000; sent++) sendDatagram(path, String(sent));
    }).toThrow('EAGAIN');
    expect(sent).toBeGreaterThan(0);
    expect(receiver.takeAll()).toEqual(Array.from({ length: sent }, (_, index) => String(index)));
  });

  test('leaves no descriptor open', () => {
    using directory = temporaryDirectory();
    const path = directory.join('socket');
    using receiver = new DatagramReceiver(path);
    sendDatagram(path, 'first');
    const before = openDescriptors();
    for (let count = 0; count < 5; count++) sendDatagram(path, 'x');
    expect(() => sendDatagram(directory.join('nobody'), 'x')).toThrow();
    expect(openDescriptors()).toBe(before);
    expect(receiver.takeAll()).toHaveLength(6);
  });
});

describe('the address of a socket', () => {
  test.skipIf(!IS_LINUX)('begins with the family and ends as its kind does', () => {
    expect([...socketAddress('/ab')]).toEqual([1, 0, 0x2f, 0x61, 0x62, 0]);
    expect([...socketAddress('@ab')]).toEqual([1, 0, 0, 0x61, 0x62]);
  });

  test('is a path or an abstract name, and nothing else', () => {
    expect(() => socketAddress('socket')).toThrow('neither an absolute path nor an abstract name');
    expect(() => socketAddress('vsock:2:1234')).toThrow('vsock:2:1234 is neither');
  });

  test.skipIf(!IS_LINUX)('has at most 107 bytes', () => {
    expect(socketAddress(`/${'x'.repeat(106)}`)).toHaveLength(110);
    expect(() => socketAddress(`/${'x'.repeat(107)}`)).toThrow('at most 107 bytes');
    expect(() => socketAddress(`/${'ü'.repeat(54)}`)).toThrow('at most 107 bytes');
  });
});

/** Counted by the number that the next one gets. */
function openDescriptors(): number {
  const fd = openSync('/dev/null', 'r');
  closeSync(fd);
  return fd;
}
