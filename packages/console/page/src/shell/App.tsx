import type * as Models from "@effect-zookeeper/console/Models"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { type Component, createMemo, createSignal, Match, onCleanup, onMount, Show, Switch } from "solid-js"
import { Dynamic } from "solid-js/web"
import type { Link } from "../link/Link.ts"
import { useFeed } from "../link/run.ts"
import { format, parse, type Route, type View } from "../model/Route.ts"
import { laterComponent, loadAll } from "../parts/later.tsx"
import { TreeView } from "../tree/TreeView.tsx"
import { Banner } from "./Banner.tsx"
import { Failure } from "./Failure.tsx"
import { Gate } from "./Gate.tsx"
import { GoTo } from "./GoTo.tsx"
import { Header } from "./Header.tsx"
import { Help } from "./Help.tsx"
import { listenToKeys } from "./keys.ts"
import { warnOfDrafts } from "./leaving.ts"
import { Nav } from "./Nav.tsx"
import { type Page, PageContext, usePage } from "./page.ts"

const EnsembleView = laterComponent(async () => (await import("../ensemble/EnsembleView.tsx")).EnsembleView)
const RecipesView = laterComponent(async () => (await import("../recipes/RecipesView.tsx")).RecipesView)
const SessionsView = laterComponent(async () => (await import("../sessions/SessionsView.tsx")).SessionsView)
const EventsView = laterComponent(async () => (await import("../events/EventsView.tsx")).EventsView)

const views: Readonly<Record<View, Component>> = {
  tree: TreeView,
  ensemble: EnsembleView,
  recipes: RecipesView,
  sessions: SessionsView,
  events: EventsView
}

/** The whole page, once the link is there. */
export const App = (props: { readonly link: Link["Service"]; readonly run: Page["run"] }) => {
  const { link, run } = props
  const [now, setNow] = createSignal(0)
  const [hello, setHello] = createSignal<typeof Models.Hello.Type>()
  const [clusters, setClusters] = createSignal<ReadonlyArray<Models.Cluster>>([])
  const [route, setRoute] = createSignal<Route>(parse(window.location.hash))
  const [said, setSaid] = createSignal("")

  const cluster = createMemo(() => {
    const wanted = route().cluster
    return wanted === undefined ? clusters()[0] : clusters().find(({ name }) => name === wanted)
  })
  const readOnly = createMemo(() => {
    if (hello()?.canWrite !== true) return "zk ui was started without --write"
    return cluster()?.readOnly ?? (cluster()?.state === "readOnly" ? "the server has no quorum" : undefined)
  })
  const href = (to: Partial<Route>) => format({ ...route(), cluster: cluster()?.name ?? route().cluster, ...to })

  const page: Page = {
    link,
    run,
    now,
    hello,
    clusters,
    cluster,
    readOnly,
    route,
    href,
    go: (to) => {
      window.location.hash = href(to)
    },
    say: (text) => {
      setSaid(text)
      run(
        Effect.delay(
          Effect.sync(() => setSaid((said) => (said === text ? "" : said))),
          "4 seconds"
        )
      )
    }
  }

  onMount(() => {
    const follow = () => setRoute(parse(window.location.hash))
    window.addEventListener("hashchange", follow)
    const ticking = run(Effect.repeat(Effect.map(Clock.currentTimeMillis, setNow), Schedule.spaced("2 seconds")))
    const stopWarning = warnOfDrafts()
    // The other views are here before the server of the page may be away. What is shown comes first.
    const loading = run(Effect.delay(loadAll, "2 seconds"))
    onCleanup(() => {
      window.removeEventListener("hashchange", follow)
      stopWarning()
      ticking.interruptUnsafe()
      loading.interruptUnsafe()
    })
  })

  return (
    <PageContext.Provider value={page}>
      <Show when={link.state()._tag !== "Refused"} fallback={<Gate reason="refused" />}>
        <Greeting onHello={setHello} onClusters={setClusters} />
        <Frame said={said()} />
      </Show>
    </PageContext.Provider>
  )
}

/** What the page asks before everything else. */
const Greeting = (props: {
  readonly onHello: (hello: typeof Models.Hello.Type) => void
  readonly onClusters: (clusters: ReadonlyArray<Models.Cluster>) => void
}) => {
  const { link, run } = usePage()
  useFeed(
    (client) => client.clusters(),
    props.onClusters,
    () => run(Effect.ignore(Effect.map(link.client.hello(), props.onHello)))
  )
  return null
}

const Frame = (props: { readonly said: string }) => {
  const { cluster, link, route } = usePage()
  const [dialog, setDialog] = createSignal<"help" | "goto">()
  onMount(() => onCleanup(listenToKeys(usePage(), setDialog)))
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => skip(event)}>
        Skip to the content
      </a>
      <Header onHelp={() => setDialog("help")} onGoTo={() => setDialog("goto")} />
      <Banner />
      <Nav />
      <main id="main" tabindex="-1">
        <Show when={cluster()} keyed={false} fallback={<Beginning isOpen={link.state()._tag === "Open"} />}>
          <Show when={cluster()?.name} keyed>
            <Show when={route().view} keyed>
              {(view) => (
                <Failure>
                  <Dynamic component={views[view]} />
                </Failure>
              )}
            </Show>
          </Show>
        </Show>
      </main>
      <div class="said" role="status" aria-live="polite" classList={{ shown: props.said !== "" }}>
        {props.said}
      </div>
      <Switch>
        <Match when={dialog() === "help"}>
          <Help onClose={() => setDialog()} />
        </Match>
        <Match when={dialog() === "goto"}>
          <GoTo onClose={() => setDialog()} />
        </Match>
      </Switch>
    </div>
  )
}

/** The target of the link is an element, and the part after `#` is the route. */
const skip = (event: MouseEvent): void => {
  event.preventDefault()
  document.querySelector<HTMLElement>("#main")?.focus()
}

/** Before the clusters are known. The banner names them where the address has the name of another one. */
const Beginning = (props: { readonly isOpen: boolean }) => {
  const { clusters } = usePage()
  return (
    <div class="empty">
      <Show when={clusters().length === 0} fallback={<h2>Choose a cluster</h2>}>
        <h2>{props.isOpen ? "Asking for the clusters" : "Connecting to zk ui"}</h2>
        <p>The page follows by itself as soon as there is an answer.</p>
      </Show>
    </div>
  )
}
