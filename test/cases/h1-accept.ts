/** Every HTTP/1.1 input that must be accepted, with the requests it must give. */

import { acceptBody } from './h1/accept-body.ts';
import { acceptConnection } from './h1/accept-connection.ts';
import { acceptFields } from './h1/accept-fields.ts';
import { acceptRequestLine } from './h1/accept-request-line.ts';
import type { AcceptRow } from './h1/row.ts';

export const acceptRows: AcceptRow[] = [
  ...acceptRequestLine,
  ...acceptFields,
  ...acceptBody,
  ...acceptConnection,
];
