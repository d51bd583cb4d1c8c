/** Parts of the page whose code is loaded when they are first shown, or before, when there is time. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { type Accessor, type Component, createSignal, Match, onCleanup, Switch } from "solid-js"
import { Dynamic } from "solid-js/web"
import { usePage } from "../shell/page.ts"

export interface Later<A> {
  /** What was loaded. */
  readonly loaded: Accessor<A | undefined>
  /** Whether the last attempt has failed. */
  readonly hasFailed: Accessor<boolean>
  /** Loads it, and tries again every second for as long as it fails. */
  readonly load: Effect.Effect<void>
}

/** All that is loaded later, for the time when the page has nothing else to do. */
const all: Array<Effect.Effect<void>> = []

export const loadAll: Effect.Effect<void> = Effect.suspend(() => Effect.forEach(all, (load) => load, { discard: true }))

/**
 * The code comes from the server of the page, which may be away. `lazy` of Solid keeps a failure for ever, and so this tries
 * again.
 */
export const later = <A extends object>(get: () => Promise<A>): Later<A> => {
  const [loaded, setLoaded] = createSignal<A>()
  const [hasFailed, setFailed] = createSignal(false)
  const load = Effect.suspend(() => (loaded() === undefined ? Effect.tryPromise(get) : Effect.succeed(loaded()))).pipe(
    Effect.map((found) => {
      setLoaded(() => found)
      setFailed(false)
    }),
    Effect.tapError(() => Effect.sync(() => setFailed(true))),
    Effect.retry(Schedule.spaced("1 second")),
    Effect.ignore
  )
  all.push(load)
  return { loaded, hasFailed, load }
}

/** Loads it for as long as the component is there that uses it. */
export const useLater = <A,>({ load, loaded }: Later<A>): Accessor<A | undefined> => {
  const loading = usePage().run(load)
  onCleanup(() => loading.interruptUnsafe())
  return loaded
}

/** A component that is loaded later. Until then its place is empty, or says why it is. */
export const laterComponent = <P extends object>(get: () => Promise<Component<P>>): Component<P> => {
  const part = later(async () => ({ component: await get() }))
  return (props) => {
    const { link } = usePage()
    const loaded = useLater(part)
    return (
      <Switch fallback={<div class="empty" />}>
        <Match when={loaded()}>{(loaded) => <Dynamic component={loaded().component} {...props} />}</Match>
        <Match when={part.hasFailed()}>
          <div class="empty" role="status">
            <h2>This part of the page is not here yet</h2>
            <p>
              {link.state()._tag === "Open"
                ? "It could not be loaded, and is tried again every second. If that does not help, load the page again: what you typed is kept."
                : "It comes from the server of this page, which does not answer. It is shown as soon as the server is back."}
            </p>
          </div>
        </Match>
      </Switch>
    )
  }
}
