/** A global setup or teardown of Jest. */
declare function hook(): Promise<void>;
export = hook;
