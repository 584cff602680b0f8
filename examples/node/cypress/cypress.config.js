// npm install --save-dev cypress. The program under test is that of ../playwright; any other does as well.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { start } from "verifyd-test";

export default {
  e2e: {
    supportFile: false,
    async setupNodeEvents(on, config) {
      const srv = await start();
      const app = spawn(process.execPath, ["../playwright/app.js"], {
        env: { ...process.env, ...srv.env, PORT: "0" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      [config.baseUrl] = await once(createInterface(app.stdout), "line");
      on("task", {
        codeFor: (to) => srv.code(to),
        advance: (by) => srv.advance(by).then(() => null), // a task may not answer undefined
        reset: () => srv.reset().then(() => null),
      });
      on("after:run", async () => {
        app.kill();
        await srv.stop();
      });
      return config;
    },
  },
};
