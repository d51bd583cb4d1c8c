/** A real server as a test sees it, and its options. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { ZooKeeperServerError } from "../../ZooKeeperError.ts"

/** A private key and its certificate, PEM. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}

/** The mode that a server reports; `down` when it does not answer or does not serve. */
export type Mode = "leader" | "follower" | "observer" | "standalone" | "read-only" | "down"

/** The addresses and files with which a client speaks TLS with a server. */
export interface Tls {
  /** The authority that signed the server's certificate (CN=localhost, also valid for 127.0.0.1), PEM. */
  readonly ca: string
  /** An ordinary client, CN=zkclient. */
  readonly client: KeyPair
  /** A client that the server treats as its super user, CN=zksuper. */
  readonly superClient: KeyPair
  /** The ordinary client's certificate and key as PKCS#12. */
  readonly clientPfx: (passphrase: string) => Effect.Effect<Uint8Array, ZooKeeperServerError>
  /** The ordinary client's key, encrypted, PEM. */
  readonly encryptedClientKey: (passphrase: string) => Effect.Effect<string, ZooKeeperServerError>
  /** The authority's list of revoked certificates: the servers' one or none. PEM. */
  readonly crl: (revoked: "server" | "nothing") => Effect.Effect<string, ZooKeeperServerError>
  /** `127.0.0.1:port` of every secure port, joined by commas. */
  readonly connectString: string
}

export interface TlsSettings {
  /** The server's certificate has expired. */
  readonly expired?: boolean | undefined
}

export interface Options {
  /** The basic unit of time in milliseconds, 500 by default; the shortest session lasts two of them. */
  readonly tickTime?: number | undefined
  /** Milliseconds; 60,000 by default. */
  readonly maxSessionTimeout?: number | undefined
  /** `"upgrading"`: sessions are known to one server alone, and become global at the first ephemeral. Ensembles only. */
  readonly localSessions?: "upgrading" | undefined
  /** Quotas are hard limits instead of warnings in a log. */
  readonly enforceQuota?: boolean | undefined
  /** `jute.maxbuffer` in bytes; 1,048,575 by default. */
  readonly maxBuffer?: number | undefined
  /** A secure port beside the plain one; clients must show a certificate there. */
  readonly tls?: boolean | TlsSettings | undefined
  /**
   * SASL with DIGEST-MD5: users super/adminsecret, bob/bobsecret, alice/alicesecret. `"required"` refuses everything
   * before a client has authenticated.
   */
  readonly sasl?: boolean | "required" | undefined
  /** More lines for `zoo.cfg`. */
  readonly config?: ReadonlyArray<string> | undefined
  /** More flags for the JVM. */
  readonly jvmFlags?: ReadonlyArray<string> | undefined
  /** The heap's limit; 128 by default. */
  readonly heapMegabytes?: number | undefined
  /** The level of the server's log, which errors quote; `"warn"` by default. */
  readonly logLevel?: "error" | "warn" | "info" | "debug" | undefined
  /** The time in which a server must serve after its start; 30 seconds by default. */
  readonly startTimeout?: Duration.Input | undefined
}

export interface ServerOptions extends Options {
  /** The client port; a free one by default. */
  readonly port?: number | undefined
  /** An ensemble of one instead of a standalone server: it can be reconfigured and can hold local sessions. */
  readonly quorum?: boolean | undefined
}

/** A running server and its controls. Controls of one server wait for each other. */
export interface ZooKeeperServer {
  /** The number in an ensemble, from 1. */
  readonly id: number
  /** Always `127.0.0.1`. */
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly connectString: string
  /** Present if the server was made with `tls`. */
  readonly tls: Tls | undefined
  /** `data`, `zoo.cfg` and `server.log` are here. */
  readonly folder: string
  /** The server's process id; `undefined` while there is none. */
  readonly pid: Effect.Effect<number | undefined>
  /** SIGKILL, and waits for the end. */
  readonly kill: Effect.Effect<void>
  /** SIGTERM, and waits for the end; SIGKILL after five seconds. */
  readonly stop: Effect.Effect<void>
  /** Starts the server again, same data, same ports, and waits until it serves. Does nothing to a running one. */
  readonly start: Effect.Effect<void, ZooKeeperServerError>
  /** As `start`, but does not wait: a member of an ensemble serves only when most of the others run. */
  readonly launch: Effect.Effect<void, ZooKeeperServerError>
  /** `stop`, then `start`. */
  readonly restart: Effect.Effect<void, ZooKeeperServerError>
  /**
   * `stop`, then the release in a folder like `ZOOKEEPER_HOME` in its place, on the same data and ports. From then on
   * every start is of that release.
   */
  readonly restartAs: (home: string) => Effect.Effect<void, ZooKeeperServerError>
  /** SIGSTOP: the sockets stay open, nothing answers. */
  readonly pause: Effect.Effect<void>
  /** SIGCONT. */
  readonly resume: Effect.Effect<void>
  /** Asks `ruok`, `srvr`, `cons`, `wchs`, ...; fails after `timeout`, by default two seconds. */
  readonly fourLetterWord: (word: string, timeout?: Duration.Input) => Effect.Effect<string, ZooKeeperServerError>
  readonly mode: Effect.Effect<Mode>
  /** Waits until the server is in one of these modes; in any that takes writes if none is named. */
  readonly awaitMode: (...modes: ReadonlyArray<Mode>) => Effect.Effect<void, ZooKeeperServerError>
}
