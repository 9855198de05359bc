/**
 * The room as one worker sees it: messages go to Redis and come from Redis, this worker's own included, so that all workers
 * have the same messages in the same order. While Redis is away nothing can be said, and whoever tries is told so; when it
 * is back, what others have said meanwhile is fetched.
 */
import type { RequestScope } from 'tsagi-server';
import { isMessageId, type Message, type MessageLog } from './message-log.ts';
import { RedisSession } from './redis-session.ts';

const CHANNEL = 'chat:messages';
const HISTORY = 'chat:history';

/** In one step, so that messages are told in the order of their ids and none is told that is not in the history. */
const PUBLISH = `
  local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'message', ARGV[2])
  redis.call('PUBLISH', KEYS[2], id .. ' ' .. ARGV[2])
  return id`;

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2000;

/** Who has taken a message. */
export interface Member {
  readonly node: string;
  readonly worker: number;
}

/** A message could not be published. Its text is for the sender. */
export class PublishError extends Error {
  override readonly name = 'PublishError';
}

export class ChatRoom {
  readonly member: Member;
  readonly log: MessageLog;
  readonly #url: string;
  #session: RedisSession | undefined;
  #isClosed = false;

  /** Rejects when Redis cannot be used now. Later, it is waited for. */
  static async open(url: string, member: Member, log: MessageLog): Promise<ChatRoom> {
    const room = new ChatRoom(url, member, log);
    const session = await room.#join();
    void room.#stay(session);
    return room;
  }

  private constructor(url: string, member: Member, log: MessageLog) {
    this.#url = url;
    this.member = member;
    this.log = log;
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** Resolves with the message's id. Rejects with a `PublishError`. */
  async publish(text: string): Promise<string> {
    if (this.#session === undefined) throw new PublishError('not sent: Redis cannot be reached');
    const message = JSON.stringify({ text, ...this.member });
    const kept = String(this.log.limit);
    try {
      return String(await this.#session.ask('EVAL', PUBLISH, '2', HISTORY, CHANNEL, kept, message));
    } catch (error) {
      const { code, message: why } = error as Error & { code?: string };
      // With the connection, the answer is lost: whether the message has come so far is not known.
      throw new PublishError(
        code === 'ERR_REDIS_SERVER_ERROR'
          ? `not sent: Redis refused it: ${why}`
          : 'perhaps not sent: Redis went away before it answered',
      );
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#session?.close();
  }

  /** Subscribes first and reads the history then, so nothing falls between the two; what is in both is added once. */
  async #join(): Promise<RedisSession> {
    const session = await RedisSession.open(this.#url);
    try {
      let early: Message[] | undefined = [];
      await session.subscribe(CHANNEL, (told) => {
        const message = readTold(told);
        if (message === undefined) return;
        if (early === undefined) this.log.add(message);
        else early.push(message);
      });
      const history = await session.ask('XREVRANGE', HISTORY, '+', '-', 'COUNT', String(this.log.limit));
      this.log.addHistory(readHistory(history));
      for (const message of early) this.log.add(message);
      early = undefined;
    } catch (error) {
      session.close();
      throw error;
    }
    this.#session = session;
    return session;
  }

  /** Opens a new session whenever one has ended, until the room is closed. */
  async #stay(session: RedisSession): Promise<void> {
    for (let current: RedisSession | undefined = session; current !== undefined;) {
      this.#say('connected to Redis');
      await current.ended;
      this.#session = undefined;
      if (!this.#isClosed) this.#say('Redis has gone, trying to reach it again');
      current = await this.#joinAgain();
    }
  }

  async #joinAgain(): Promise<RedisSession | undefined> {
    for (let delay = FIRST_RETRY_MS; !this.#isClosed; delay = Math.min(2 * delay, LAST_RETRY_MS)) {
      // Not all workers at the same moment.
      await Bun.sleep(delay * (0.5 + Math.random() / 2));
      if (this.#isClosed) return undefined;
      try {
        const session = await this.#join();
        if (!this.#isClosed) return session;
        session.close();
      } catch {
        // Still away.
      }
    }
    return undefined;
  }

  #say(text: string): void {
    console.log(`${this.member.node} worker ${this.member.worker}: ${text}`);
  }
}

/** Where a request finds the room. */
export function roomOf(scope: RequestScope): ChatRoom {
  return scope.state['room'] as ChatRoom;
}

/** As published: the id, a space, the rest as JSON. */
function readTold(told: string): Message | undefined {
  const space = told.indexOf(' ');
  return readMessage(told.slice(0, space), told.slice(space + 1));
}

/** A reply of XREVRANGE, newest first: pairs of an id and the entry's fields. */
function readHistory(reply: unknown): Message[] {
  const entries = reply as [id: string, fields: [name: string, json: string]][];
  return entries
    .map(([id, [, json]]) => readMessage(id, json))
    .filter((message) => message !== undefined)
    .toReversed();
}

/** Whoever reaches Redis can put anything there: `undefined` for what is no message. */
function readMessage(id: string, json: string): Message | undefined {
  try {
    const { text, node, worker } = JSON.parse(json) as Record<string, unknown>;
    if (!isMessageId(id) || typeof text !== 'string') return undefined;
    return { id, text, node: String(node), worker: Number(worker) };
  } catch {
    return undefined;
  }
}
