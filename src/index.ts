/**
 * The public surface of tsagi-server: what a program that serves, or an app that is served, may import.
 */
export { createServer } from './runner/create-server.ts';
export type { CreateServerOptions, ListenerInfo, TsagiServer } from './runner/create-server.ts';
export type { TsagiConfig } from './config/config-file.ts';
export { OptionError } from './config/option-error.ts';
export type { ServerOptions } from './config/settings.ts';
export type * from './contract/app.ts';
export type * from './contract/handles.ts';
export type * from './contract/receive-events.ts';
export type * from './contract/scope.ts';
export type * from './contract/send-events.ts';
