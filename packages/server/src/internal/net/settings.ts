import { MAX_REQUEST } from "@effect-zookeeper/protocol/Frame"
import * as Duration from "effect/Duration"
import type { Options } from "../../EmbeddedServer.ts"
import type { RuntimeSettings } from "./ServerRuntime.ts"

/** Of `super:secret`, whom everybody knows. */
export const SUPER_DIGEST = "super:lK75jTNcA+U9vtVEw5vB51mj/w4="

/** The settings of a server from its options, with ZooKeeper's defaults. */
export const runtimeSettings = (options: Options): RuntimeSettings => {
  const tickTime = millis(options.tickTime, 2_000)
  return {
    tickTime,
    syncLimit: options.syncLimit ?? 5,
    minSessionTimeout: millis(options.minSessionTimeout, 2 * tickTime),
    maxSessionTimeout: millis(options.maxSessionTimeout, 20 * tickTime),
    superDigest: options.superDigest === null ? undefined : (options.superDigest ?? SUPER_DIGEST),
    extendedTypes: options.extendedTypes ?? true,
    enforceQuota: options.enforceQuota ?? false,
    reconfigEnabled: options.reconfigEnabled ?? false,
    localSessions: options.localSessions ?? true,
    collectInterval: millis(options.collectInterval, 60_000),
    maxFrameSize: options.maxFrameSize ?? MAX_REQUEST
  }
}

const millis = (input: Duration.Input | undefined, otherwise: number): number =>
  input === undefined ? otherwise : Math.max(1, Math.round(Duration.toMillis(Duration.fromInputUnsafe(input))))
