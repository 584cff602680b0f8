// The global setup of Vitest: globalSetup: "verifyd-test/vitest".
import { start } from "./index.mjs";

export default async function setup() {
  const srv = await start();
  srv.intercept(); // the processes in which the tests run get this environment
  return () => srv.stop();
}
