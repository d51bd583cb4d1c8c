import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Session, SessionOptions } from "../Session.ts"
import type { AuthFailed, ConnectFailed, SessionExpired } from "../SessionError.ts"
export const makeSession = (
  _options: SessionOptions
): Effect.Effect<
  Session["Service"],
  ConnectFailed | AuthFailed | SessionExpired | InvalidArgument,
  Transport | Scope.Scope
> => Effect.die("soon")
