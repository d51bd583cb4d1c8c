import { MAX_REQUEST } from "@effect-zookeeper/protocol/Frame"
import * as Duration from "effect/Duration"
import { releases, type Version } from "../state/Release.ts"
import type { RuntimeSettings } from "./ServerRuntime.ts"

/**
 * Options of every embedded server, with ZooKeeper's defaults.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * The release as which the server answers: `"3.8"` is 3.8.0, `"3.9"` is 3.9.6. Default `"3.8"`. The README lists the
   * differences.
   */
  readonly version?: Version | undefined
  /** How much later replies and events are sent, as over a slow network. Default zero. `setLatency` changes it. */
  readonly latency?: Duration.Input | undefined
  /** The unit of time in which sessions expire, and of `syncLimit`. Default 2 seconds. */
  readonly tickTime?: Duration.Input | undefined
  /** The shortest timeout of a session. Default two ticks. */
  readonly minSessionTimeout?: Duration.Input | undefined
  /** The longest timeout of a session. Default twenty ticks. */
  readonly maxSessionTimeout?: Duration.Input | undefined
  /** The super user, who may do everything, as `user:hash` (`Acl.digestIdOf`). Null: none. Default: `super` with `secret`. */
  readonly superDigest?: string | null | undefined
  /** Whether clients can create TTL znodes. Default true. */
  readonly extendedTypes?: boolean | undefined
  /** Whether hard quotas are enforced. Default false, as with ZooKeeper. */
  readonly enforceQuota?: boolean | undefined
  /** Whether reconfig is answered with `Unimplemented` instead of `ReconfigDisabled`. Default false, as with ZooKeeper. */
  readonly reconfigEnabled?: boolean | undefined
  /**
   * Whether members that are too few because others are stopped serve reads, to clients that accept it, instead of refusing all.
   * Default false, as with ZooKeeper.
   */
  readonly readOnlyMode?: boolean | undefined
  /** Whether a read-only member opens sessions that only it knows. Default true. */
  readonly localSessions?: boolean | undefined
  /** How often empty containers and expired TTL znodes are deleted. Default one minute. */
  readonly collectInterval?: Duration.Input | undefined
  /** The most bytes of a request. Default 1,048,575, as with ZooKeeper. */
  readonly maxFrameSize?: number | undefined
  /** How many ticks a member goes on after it has lost the others. Default 5, as in ZooKeeper's sample configuration. */
  readonly syncLimit?: number | undefined
  /** How many members the ensemble has; all serve one state. Default 1. */
  readonly members?: number | undefined
}

/** The digest of `super:secret`, a password that everybody knows. */
export const SUPER_DIGEST = "super:lK75jTNcA+U9vtVEw5vB51mj/w4="

/** The settings of a server from its options, with ZooKeeper's defaults. */
export const runtimeSettings = (options: Options): RuntimeSettings => {
  const tickTime = millis(options.tickTime, 2_000)
  return {
    release: releases[options.version ?? "3.8"],
    latency: latencyMillis(options.latency ?? 0),
    tickTime,
    syncLimit: options.syncLimit ?? 5,
    minSessionTimeout: millis(options.minSessionTimeout, 2 * tickTime),
    maxSessionTimeout: millis(options.maxSessionTimeout, 20 * tickTime),
    superDigest: options.superDigest === null ? undefined : (options.superDigest ?? SUPER_DIGEST),
    extendedTypes: options.extendedTypes ?? true,
    enforceQuota: options.enforceQuota ?? false,
    reconfigEnabled: options.reconfigEnabled ?? false,
    readOnlyMode: options.readOnlyMode ?? false,
    localSessions: options.localSessions ?? true,
    collectInterval: millis(options.collectInterval, 60_000),
    maxFrameSize: options.maxFrameSize ?? MAX_REQUEST
  }
}

/** Milliseconds; a negative latency is none. */
export const latencyMillis = (input: Duration.Input): number =>
  Math.max(0, Math.round(Duration.toMillis(Duration.fromInputUnsafe(input))))

const millis = (input: Duration.Input | undefined, otherwise: number): number =>
  input === undefined ? otherwise : Math.max(1, Math.round(Duration.toMillis(Duration.fromInputUnsafe(input))))
