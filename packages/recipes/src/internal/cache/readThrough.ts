import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RecipeError } from "../../Errors.ts"
import { acrossSessions } from "../patience.ts"
import { Wants } from "./Agenda.ts"
import type { Mirror } from "./Mirror.ts"

/** What the server has; the cache looks too. */
export const readThrough = (
  zk: ZooKeeper.Service,
  mirror: Mirror,
  path: string
): Effect.Effect<Option.Option<DataAndStat>, RecipeError> =>
  acrossSessions(zk, zk.get(path)).pipe(
    Effect.map(Option.some),
    Effect.catchTag("NoNode", () => Effect.succeedNone),
    Effect.tap(() => Effect.sync(() => mirror.agenda.ask(path, Wants.data)))
  )
