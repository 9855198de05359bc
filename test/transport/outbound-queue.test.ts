/**
 * The outbound queue against a kernel buffer that the test fills and empties.
 */
import { describe, expect, test } from 'bun:test';
import { OutboundQueue } from '../../src/transport/outbound-queue.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { stateOf } from '../support/settled.ts';

const MARKS = { writeHighWatermark: 1000, writeLowWatermark: 200 };

function open(room = Infinity): { sink: FakeSink; queue: OutboundQueue } {
  const sink = new FakeSink(room);
  return { sink, queue: new OutboundQueue(sink, MARKS) };
}

/** `count` bytes that repeat nothing near each other. */
function bytes(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, index) => (index * 7 + (index >> 8)) % 256));
}

/** Gives the kernel room for `room` bytes and tells the queue. */
function drain({ sink, queue }: ReturnType<typeof open>, room: number): void {
  sink.room = room;
  queue.drained();
}

describe('what is queued', () => {
  test('leaves at the flush and not before', () => {
    const { sink, queue } = open();
    queue.putText('head');
    expect([sink.calls, queue.bufferedAmount]).toEqual([0, 4]);
    queue.flush();
    expect([sink.received, queue.bufferedAmount]).toEqual(['head', 0]);
  });

  test('leaves in one write when many pipelined answers are text', () => {
    const { sink, queue } = open();
    for (let i = 0; i < 100; i++) queue.putText(`answer ${i} `);
    queue.flush();
    expect(sink.calls).toBe(1);
    expect(sink.received).toEndWith('answer 98 answer 99 ');
  });

  test('leaves in one write when small bodies are bytes', () => {
    const { sink, queue } = open();
    for (let i = 0; i < 50; i++) {
      queue.putText('head ');
      queue.putBytes(Buffer.from([0xff, 0x00, 0x80]));
    }
    queue.flush();
    expect([sink.calls, sink.received]).toEqual([1, 'head \xff\x00\x80'.repeat(50)]);
  });

  test('leaves in one write when larger bytes stand between texts', () => {
    const { sink, queue } = open();
    const body = bytes(5000);
    queue.putText('head');
    queue.putBytes(body);
    queue.putText('next');
    queue.flush();
    expect([sink.calls, sink.received]).toEqual([1, `head${body.toString('latin1')}next`]);
  });

  test('is not copied where it is large', () => {
    const { sink, queue } = open();
    const large = bytes(200_000);
    queue.putText('head');
    queue.putBytes(large);
    queue.flush();
    expect(sink.received).toBe(`head${large.toString('latin1')}`);
    const offered = sink.offers.find((offer) => offer.length === large.length) as Uint8Array;
    expect([offered.buffer, offered.byteOffset]).toEqual([large.buffer, large.byteOffset]);
  });

  test('may be a view of a larger buffer', () => {
    const { sink, queue } = open();
    const whole = bytes(1000);
    queue.putBytes(new Uint8Array(whole.buffer, whole.byteOffset + 100, 300));
    queue.flush();
    expect(sink.received).toBe(whole.toString('latin1', 100, 400));
  });

  test('is nothing where nothing has been put: no call is made', () => {
    const { sink, queue } = open();
    queue.putBytes(new Uint8Array(0));
    queue.putText('');
    queue.flush();
    expect([sink.calls, queue.emptied(), queue.settle()]).toEqual([0, undefined, undefined]);
  });
});

describe('a kernel that takes a part', () => {
  const text = 'text of an answer with \xe9 \xff';

  test('gets the rest of a text later, wherever it stopped', () => {
    for (let room = 0; room < text.length; room++) {
      const it = open(room);
      it.queue.putText(text);
      it.queue.flush();
      expect([it.queue.isBlocked, it.queue.bufferedAmount]).toEqual([true, text.length - room]);
      drain(it, Infinity);
      expect([it.sink.received, it.queue.bufferedAmount, it.queue.isBlocked]).toEqual([text, 0, false]);
    }
  });

  test('gets texts and bytes in their order when it takes seven bytes at a time', () => {
    const it = open(0);
    let expected = '';
    for (let i = 1; i <= 12; i++) {
      const piece = bytes(i * 15);
      it.queue.putText(`<${i}>`);
      it.queue.putBytes(piece);
      expected += `<${i}>${piece.toString('latin1')}`;
      it.queue.flush();
    }
    for (let turns = 0; it.queue.bufferedAmount > 0 && turns < 1000; turns++) drain(it, 7);
    expect(it.sink.received).toBe(expected);
  });

  test('is not asked again before it says so', () => {
    const it = open(3);
    it.queue.putText('blocked');
    it.queue.flush();
    const { calls } = it.sink;
    it.queue.putText(' and more');
    it.queue.putBytes(bytes(100));
    it.queue.flush();
    it.queue.flush();
    expect([it.sink.calls, it.queue.bufferedAmount]).toEqual([calls, 4 + 9 + 100]);
    drain(it, Infinity);
    expect(it.sink.received).toBe(`blocked and more${bytes(100).toString('latin1')}`);
  });

  test('that refuses because it is closed loses nothing before the close is known', () => {
    const it = open(-1);
    it.queue.putText('unsent');
    it.queue.flush();
    expect([it.queue.isBlocked, it.queue.bufferedAmount]).toEqual([true, 6]);
  });

  test('that asks for more when nothing is left gets no call', () => {
    const it = open();
    it.queue.putText('a');
    it.queue.flush();
    const { calls } = it.sink;
    it.queue.drained();
    expect(it.sink.calls).toBe(calls);
  });
});

describe('watermarks', () => {
  /** A queue with so many bytes that the kernel has not taken. */
  function backlog(size: number): ReturnType<typeof open> {
    const it = open(0);
    it.queue.putBytes(bytes(size));
    it.queue.flush();
    return it;
  }

  test('a writer goes on at the high one, and waits above it', async () => {
    expect(backlog(1000).queue.settle()).toBeUndefined();
    const { queue } = backlog(1001);
    expect(await stateOf(queue.settle()!)).toBe('pending');
  });

  test('a waiting writer goes on at the low one, not between the two', async () => {
    const it = backlog(1500);
    const waiting = it.queue.settle()!;
    drain(it, 1299);
    expect([it.queue.bufferedAmount, await stateOf(waiting)]).toEqual([201, 'pending']);
    drain(it, 1);
    expect([it.queue.bufferedAmount, await stateOf(waiting)]).toEqual([200, 'resolved']);
    expect(it.queue.settle()).toBeUndefined();
  });

  test('a writer that comes between the two waits only when the high one has been passed', () => {
    const rising = backlog(500);
    expect(rising.queue.settle()).toBeUndefined();
    const falling = backlog(1500);
    drain(falling, 1000);
    expect(falling.queue.settle()).toBeInstanceOf(Promise);
  });

  test('what the kernel takes at once never makes a writer wait', () => {
    const { queue } = open();
    queue.putBytes(bytes(5000));
    queue.flush();
    expect([queue.settle(), queue.emptied()]).toEqual([undefined, undefined]);
  });

  test('onHighWater is called at each rise, onDrain at each fall, in turn', () => {
    const it = open(0);
    const seen: string[] = [];
    it.queue.onHighWater(() => void seen.push(`high ${it.queue.bufferedAmount}`));
    it.queue.onDrain(() => void seen.push(`drain ${it.queue.bufferedAmount}`));
    const put = (size: number): void => {
      it.queue.putBytes(bytes(size));
      it.queue.flush();
    };
    put(900);
    put(200);
    put(500);
    drain(it, 1000);
    put(700);
    drain(it, 1250);
    put(2000);
    expect(seen).toEqual(['high 1100', 'drain 50', 'high 2050']);
  });

  test('onDrain is not called without a rise before', () => {
    const it = backlog(900);
    let calls = 0;
    it.queue.onDrain(() => void calls++);
    drain(it, Infinity);
    expect([it.queue.bufferedAmount, calls]).toEqual([0, 0]);
  });

  test('onHighWater is called at once when registered above', () => {
    const { queue } = backlog(1001);
    let calls = 0;
    queue.onHighWater(() => void calls++);
    expect(calls).toBe(1);
  });

  test('who has unregistered is not called, and registering one function twice makes two', () => {
    const it = open(0);
    let calls = 0;
    const count = (): void => void calls++;
    const first = it.queue.onHighWater(count);
    it.queue.onHighWater(count);
    const drained = it.queue.onDrain(count);
    first();
    drained();
    it.queue.putBytes(bytes(1001));
    it.queue.flush();
    expect(calls).toBe(1);
    drain(it, Infinity);
    expect(calls).toBe(1);
  });

  test('who unregisters while being called stops nobody else', () => {
    const it = open(0);
    const seen: string[] = [];
    const unregister = it.queue.onHighWater(() => {
      seen.push('first');
      unregister();
    });
    it.queue.onHighWater(() => void seen.push('second'));
    it.queue.putBytes(bytes(1001));
    it.queue.flush();
    drain(it, Infinity);
    it.sink.room = 0;
    it.queue.putBytes(bytes(1001));
    it.queue.flush();
    expect(seen).toEqual(['first', 'second', 'second']);
  });

  test('nobody is called any more once the response is over', () => {
    const it = open(0);
    let calls = 0;
    it.queue.onHighWater(() => void calls++);
    it.queue.onDrain(() => void calls++);
    it.queue.forgetListeners();
    it.queue.putBytes(bytes(1001));
    it.queue.flush();
    drain(it, Infinity);
    expect(calls).toBe(0);
  });
});

describe('emptied', () => {
  test('resolves when the last byte is with the kernel, not at the low-water mark', async () => {
    const it = open(0);
    it.queue.putBytes(bytes(1500));
    it.queue.flush();
    const waiting = it.queue.emptied()!;
    drain(it, 1499);
    expect(await stateOf(waiting)).toBe('pending');
    drain(it, 1);
    expect([await stateOf(waiting), it.queue.emptied()]).toEqual(['resolved', undefined]);
  });
});

describe('bytes that the writer changes afterwards', () => {
  const before = bytes(300).toString('latin1');

  test('arrive as they were when the flush left them below the high-water mark', () => {
    const it = open(0);
    const own = bytes(300);
    it.queue.putBytes(own);
    it.queue.flush();
    expect(it.queue.settle()).toBeUndefined();
    own.fill(0);
    drain(it, Infinity);
    expect(it.sink.received).toBe(before);
  });

  test('arrive as they were when the kernel had taken a part', () => {
    const it = open(100);
    const own = bytes(300);
    it.queue.putBytes(own);
    it.queue.flush();
    own.fill(0);
    drain(it, 50);
    drain(it, Infinity);
    expect(it.sink.received).toBe(before);
  });

  test('arrive as they were when they are changed once settle has resolved', async () => {
    const it = open(0);
    const own = bytes(1100);
    it.queue.putBytes(own);
    it.queue.flush();
    const waiting = it.queue.settle()!;
    drain(it, 950);
    await waiting;
    own.fill(0);
    drain(it, Infinity);
    expect(it.sink.received).toBe(bytes(1100).toString('latin1'));
  });

  test('arrive as they were when they follow others that wait', () => {
    const it = open(0);
    const [first, second] = [bytes(300), bytes(400)];
    for (const piece of [first, second]) {
      it.queue.putBytes(piece);
      it.queue.flush();
      piece.fill(0);
    }
    drain(it, 350);
    drain(it, Infinity);
    expect(it.sink.received).toBe(before + bytes(400).toString('latin1'));
  });

  test('arrive as they were when the queue was told to own them before any flush', () => {
    const { sink, queue } = open();
    const own = bytes(300);
    queue.putBytes(own);
    queue.own();
    own.fill(0);
    queue.flush();
    expect(sink.received).toBe(before);
  });

  test('are not copied while the writer waits above the high-water mark', () => {
    const it = open(0);
    const own = bytes(1100);
    it.queue.putBytes(own);
    it.queue.flush();
    drain(it, 500);
    drain(it, 10);
    const offer = it.sink.offers.at(-1) as Uint8Array;
    expect(offer.buffer).toBe(own.buffer);
  });
});

describe('a socket that is gone', () => {
  test('lets go of everything, and of everyone who waits', async () => {
    const it = open(0);
    it.queue.putBytes(bytes(1500));
    it.queue.flush();
    const waiting = [it.queue.settle()!, it.queue.emptied()!];
    it.queue.close();
    for (const promise of waiting) expect(await stateOf(promise)).toBe('resolved');
    expect([it.queue.bufferedAmount, it.queue.isBlocked]).toEqual([0, false]);
  });

  test('takes nothing more, keeps nobody waiting and tells nobody', () => {
    const it = open(0);
    let calls = 0;
    it.queue.onHighWater(() => void calls++);
    it.queue.close();
    it.queue.putText('late');
    it.queue.putBytes(bytes(2000));
    it.queue.flush();
    it.queue.drained();
    expect([it.sink.calls, it.queue.bufferedAmount, calls]).toEqual([0, 0, 0]);
    expect([it.queue.settle(), it.queue.emptied()]).toEqual([undefined, undefined]);
  });
});
