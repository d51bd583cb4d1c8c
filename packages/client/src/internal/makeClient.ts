import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import type { Session } from "@effect-zookeeper/session/Session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ClientOptions, Service } from "../ZooKeeper.ts"
export const makeClient = (
  _session: Session["Service"],
  _options: ClientOptions
): Effect.Effect<Service, InvalidArgument, Scope.Scope> => Effect.die("soon")
