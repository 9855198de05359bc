/**
 * Something that lives as long as the server: a database, opened before the first request and closed after the last.
 */
import { Database } from 'bun:sqlite';
import type { App, HttpScope, LifespanScope, ReceiveFunction, SendFunction } from 'tsagi-server';

/** What this app keeps in the state. */
interface AppState {
  visits: Database;
}

export const app: App = async (scope, receive, send) => {
  if (scope.type === 'lifespan') await live(scope, receive, send);
  else if (scope.type === 'http') await countVisit(scope, send);
  else throw new Error(`unsupported scope: ${scope.type}`);
};

/** Called once. It is told of the start, before any connection is accepted, and of the end, after the last is closed. */
async function live(scope: LifespanScope, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  await receive(); // lifespan.startup
  let visits: Database;
  try {
    visits = openVisits();
  } catch (error) {
    // The server does not start then, and says why.
    await send({ type: 'lifespan.startup.failed', message: `no database: ${String(error)}` });
    return;
  }
  scope.state['visits'] = visits;
  console.log('database opened');
  await send({ type: 'lifespan.startup.complete' });

  await receive(); // lifespan.shutdown
  visits.close();
  console.log('database closed');
  await send({ type: 'lifespan.shutdown.complete' });
}

async function countVisit(scope: HttpScope, send: SendFunction): Promise<void> {
  // Every request gets a copy of the state: the values are the same objects, and a key that it adds is its own.
  const { visits } = scope.state as unknown as AppState;
  const row = visits
    .query<{ count: number }, [string]>(
      'INSERT INTO visits VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count',
    )
    .get(scope.path);
  await send({
    type: 'http.response.start',
    status: 200,
    headers: [['content-type', 'text/plain; charset=utf-8']],
  });
  await send({ type: 'http.response.body', body: `visit ${row?.count} to ${scope.path}\n` });
}

function openVisits(): Database {
  const database = new Database(':memory:');
  database.run('CREATE TABLE visits (path TEXT PRIMARY KEY, count INTEGER NOT NULL)');
  return database;
}
