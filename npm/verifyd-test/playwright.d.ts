import type { Server } from "./index.js";

export interface VerifydFixtures {
  /** A server of the worker's own. */
  verifyd: Server;
}

/** `const test = base.extend<{}, VerifydFixtures>(fixtures)` */
export const fixtures: {
  verifyd: [({}: {}, use: (srv: Server) => Promise<void>) => Promise<void>, { scope: "worker" }];
};
