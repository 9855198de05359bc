/** Every HTTP/1.1 input that must be refused, with the status it must be refused with. */

import { rejectBody } from './h1/reject-body.ts';
import { rejectFields } from './h1/reject-fields.ts';
import { rejectRequestLine } from './h1/reject-request-line.ts';
import type { RejectRow } from './h1/row.ts';

export const rejectRows: RejectRow[] = [...rejectRequestLine, ...rejectFields, ...rejectBody];
