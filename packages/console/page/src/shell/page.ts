/** What every component of the page can use. */
import type * as Models from "@effect-zookeeper/console/Models"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { type Accessor, createContext, useContext } from "solid-js"
import type { Link } from "../link/Link.ts"
import type { Route } from "../model/Route.ts"

export interface Page {
  readonly link: Link["Service"]
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  /** The time, a few seconds coarse: for `3 min ago`. */
  readonly now: Accessor<number>
  readonly hello: Accessor<typeof Models.Hello.Type | undefined>
  readonly clusters: Accessor<ReadonlyArray<Models.Cluster>>
  /** The cluster that is shown; undefined as long as the server has not named any, and if it has no such one. */
  readonly cluster: Accessor<Models.Cluster | undefined>
  /** Why nothing can be changed; undefined where changes are allowed. */
  readonly readOnly: Accessor<string | undefined>
  readonly route: Accessor<Route>
  readonly go: (to: Partial<Route>) => void
  readonly href: (to: Partial<Route>) => string
  /** Says something at the lower edge for a moment, to screen readers too. */
  readonly say: (text: string) => void
}

export const PageContext = createContext<Page>()

export const usePage = (): Page => {
  const page = useContext(PageContext)
  if (page === undefined) throw new Error("a component of the page is used outside of it")
  return page
}

/** Limits until the server has said its own. */
export const limitsBefore = {
  names: 1000,
  rows: 200,
  data: 1_048_576,
  matches: 1000,
  removal: 10_000,
  imported: 1_048_576,
  streams: 256
} as const
