// The program and its verifyd, one of each for every worker.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test as base } from "@playwright/test";
import { fixtures } from "verifyd-test/playwright";

export { expect } from "@playwright/test";

export const test = base.extend({
  ...fixtures,
  app: [
    async ({ verifyd }, use) => {
      const app = spawn(process.execPath, ["app.js"], {
        env: { ...process.env, ...verifyd.env, PORT: "0" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [url] = await once(createInterface(app.stdout), "line");
      await use(url);
      app.kill();
      await once(app, "exit");
    },
    { scope: "worker" },
  ],
  baseURL: ({ app }, use) => use(app),
});
