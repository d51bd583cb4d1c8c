/** The version that a znode has where another one was expected. */
import { BadVersion } from "@effect-zookeeper/client/Errors"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { OtherVersion } from "../frame/errors.ts"

/** Says it for a write that has failed. Where it cannot be read, or is the expected one by now, the error stays as it is. */
export const namingVersion =
  (zk: Service, path: string, expected: number | undefined) =>
  <A, E, R>(write: Effect.Effect<A, E | BadVersion, R>): Effect.Effect<A, E | BadVersion | OtherVersion, R> =>
    Effect.catchIf(
      write,
      (error) => error instanceof BadVersion,
      (error) =>
        Effect.flatMap(
          zk.stat(path).pipe(
            Effect.map(Option.map(({ version }) => version)),
            Effect.orElseSucceed(() => Option.none<number>())
          ),
          (found): Effect.Effect<never, BadVersion | OtherVersion> =>
            expected === undefined || Option.isNone(found) || found.value === expected
              ? Effect.fail(error)
              : Effect.fail(new OtherVersion({ path, found: found.value, expected }))
        )
    )
