/** A global setup of Vitest. Its result ends the server. */
export default function setup(): Promise<() => Promise<void>>;
