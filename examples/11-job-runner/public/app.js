/**
 * The page: it follows all jobs over the dashboard's WebSocket, starts jobs over HTTP, and watches one of them as an event
 * stream.
 */
const RETRY_MS = 1000;
const STATUSES = ['running', 'queued', 'done', 'failed', 'cancelled'];

const find = (selector) => document.querySelector(selector);
const form = find('#create');

/** Everything that is known, by id. */
const jobs = new Map();
/** The list items, by id. */
const items = new Map();
let types = {};
let maxRunning = 0;
let dashboard;
/** The EventSource of the job that is watched. */
let watching;

connect();
form.type.addEventListener('change', showParameters);
form.addEventListener('submit', create);

/** Unlike an EventSource, a WebSocket does not connect again by itself. */
function connect() {
  dashboard = new WebSocket(new URL('dashboard', location.href.replace(/^http/, 'ws')));
  dashboard.addEventListener('open', () => showState('connected', true));
  dashboard.addEventListener('message', ({ data }) => handle(JSON.parse(data)));
  dashboard.addEventListener('close', () => {
    showState('connecting again', false);
    setTimeout(connect, RETRY_MS);
  });
}

function handle(message) {
  if (message.event === 'state') {
    for (const id of items.keys()) forget(id);
    const isFirst = maxRunning === 0;
    ({ types, maxRunning } = message);
    if (isFirst) showTypes();
    // The newest comes first, and each is put before the last.
    for (const job of message.jobs.toReversed()) show(job);
  } else if (message.event === 'job') {
    show(message.job);
  } else if (message.event === 'removed') {
    forget(message.id);
  } else if (message.event === 'refused') {
    refuse(message.message);
  }
  showSummary();
}

async function create(event) {
  event.preventDefault();
  const params = {};
  for (const name of Object.keys(types[form.type.value].parameters)) {
    params[name] = form.elements[name].valueAsNumber;
  }
  try {
    const response = await fetch('api/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: form.type.value, params }),
    });
    refuse(response.ok ? '' : (await response.json()).error);
  } catch {
    refuse('the server cannot be reached');
  }
}

function cancel(id) {
  refuse('');
  if (dashboard.readyState === WebSocket.OPEN) dashboard.send(JSON.stringify({ command: 'cancel', id }));
}

function watch(id) {
  watching?.close();
  const lines = find('#watched ol');
  lines.replaceChildren();
  find('#watched-id').textContent = id;
  find('#watched').hidden = false;

  const add = ({ data }) => {
    const { status, progress, note, result, error } = JSON.parse(data);
    const line = lines.appendChild(document.createElement('li'));
    const outcome = error ?? (result === undefined ? note : JSON.stringify(result));
    line.textContent = `${(progress * 100).toFixed(0).padStart(3)} %  ${status}  ${outcome}`;
    lines.scrollTop = lines.scrollHeight;
  };
  watching = new EventSource(`api/jobs/${id}/events`);
  watching.addEventListener('progress', add);
  watching.addEventListener('end', (event) => {
    add(event);
    // Else the browser would take the end of the stream for a lost connection, and connect again.
    event.target.close();
  });
}

function showTypes() {
  const options = Object.entries(types).map(([type, { title }]) => new Option(title, type));
  form.type.replaceChildren(...options);
  showParameters();
}

function showParameters() {
  const fields = Object.entries(types[form.type.value].parameters).map(([name, parameter]) => {
    const label = document.createElement('label');
    const input = document.createElement('input');
    Object.assign(input, { type: 'number', name, required: true });
    Object.assign(input, { min: parameter.min, max: parameter.max, value: parameter.default });
    label.append(parameter.label, input);
    return label;
  });
  find('#parameters').replaceChildren(...fields);
}

function show(job) {
  jobs.set(job.id, job);
  const item = items.get(job.id) ?? addItem(job);
  const isActive = job.status === 'queued' || job.status === 'running';
  const part = (selector) => item.querySelector(selector);
  item.className = job.status;
  part('.status').textContent = job.status;
  part('progress').value = job.progress;
  part('.note').textContent = job.error ?? (job.result === undefined ? job.note : inWords(job.result));
  part('.cancel').hidden = !isActive;
}

/** What never changes is shown once. */
function addItem({ id, type, params }) {
  const item = find('#job').content.cloneNode(true).firstElementChild;
  item.querySelector('strong').textContent = `${id}  ${types[type]?.title ?? type}`;
  item.querySelector('.params').textContent = inWords(params);
  item.querySelector('progress').ariaLabel = `Progress of job ${id}`;
  item.querySelector('.watch').addEventListener('click', () => watch(id));
  item.querySelector('.cancel').addEventListener('click', () => cancel(id));
  items.set(id, item);
  find('#jobs').prepend(item);
  return item;
}

function forget(id) {
  items.get(id)?.remove();
  items.delete(id);
  jobs.delete(id);
}

function showSummary() {
  const counts = STATUSES.map((status) => {
    const count = [...jobs.values()].filter((job) => job.status === status).length;
    return status === 'running' ? `${count} of ${maxRunning} running` : `${count} ${status}`;
  });
  find('#summary').textContent = counts.join(', ');
}

function showState(text, isOpen) {
  find('#state').textContent = text;
  find('#state').classList.toggle('open', isOpen);
}

function refuse(message) {
  find('#refused').textContent = message;
}

function inWords(value) {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name} ${typeof part === 'number' ? part.toLocaleString('en') : part}`)
    .join(', ');
}
