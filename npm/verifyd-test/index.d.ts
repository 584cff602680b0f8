/** A time as verifyd reads it, "10m" or "1h30m"; a number is milliseconds. */
export type Duration = string | number;

export interface Options {
  /** The verifyd to run; else VERIFYD_BIN, else the one on PATH, else go builds that of the checkout. */
  binary?: string;
  /** More flags of `verifyd run`: `["--seed", "7"]`. */
  args?: string[];
  /** More environment: every service whose SID is in it is made. */
  env?: Record<string, string>;
}

/** What becomes of messages to some destinations; docs/testing.md has the table of `carrier`. */
export interface Rule {
  /** A number or an address, in which `*` stands for any part. */
  to: string;
  channel?: "sms" | "call" | "email" | "whatsapp" | "rcs";
  carrier?: "delivers" | "late" | "twice" | "loses" | "refuses" | "throttles" | "breaks" | "doubts";
  line?: "mobile" | "landline" | "voip";
  code?: string;
}

/** A verifyd that runs. Its methods reject with an Error that says what to do. */
export interface Server {
  /** Its base URL, for a program that can be told one. */
  readonly url: string;
  /**
   * What the environment of a program needs so that its calls to verify.twilio.com land here:
   * `spawn("node", ["app.mjs"], { env: { ...process.env, ...srv.env } })`. Empty after connect, because it
   * is in process.env then.
   */
  readonly env: Readonly<Record<string, string>>;
  readonly accountSid: string;
  readonly authToken: string;
  readonly serviceSid: string;

  /**
   * The newest code that a number or an e-mail address was sent, of a verification that is pending. Waits
   * until there is one, 10 s unless told. A test runner may give up before a longer wait is over.
   */
  code(to: string, options?: { wait?: Duration; channel?: string }): Promise<string>;
  /** Moves the server's time on; whatever is due on the way has happened when it resolves. */
  advance(by: Duration): Promise<void>;
  /** Moves the server's time to what is due next, and has it done. */
  next(): Promise<void>;
  /** Stops the server's time. */
  freeze(): Promise<void>;
  /** Lets the server's time run on from where it stands. */
  resume(): Promise<void>;
  /** The server's time. */
  now(): Promise<Date>;
  /** Puts rules in the place of those that held. */
  rules(rules: Rule[]): Promise<void>;
  /** Has everything be as it was at the start, but for the time. */
  reset(): Promise<void>;
  /**
   * Has the calls of this process land here too, and those of the processes that it starts from now on: sets
   * process.env, and has TLS trust the server about the names of the Verify API. The result undoes it, as stop
   * does.
   */
  intercept(): () => void;
  /** Ends the server. Nothing is left running; a second call does nothing. */
  stop(): Promise<void>;
}

/** Starts a server of its own, which forgets everything. It ends with stop, or with this process. */
export function start(options?: Options): Promise<Server>;

/** The server that a global setup or `verifyd run` has prepared this process for (VERIFYD_URL). stop leaves it. */
export function connect(env?: Record<string, string | undefined>): Server;
