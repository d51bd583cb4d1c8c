import type { Contention, Group, Queue, RecipeEvent } from "@effect-zookeeper/console/EnsembleModels"
import { createMemo, createSignal, For, Match, Show, Switch } from "solid-js"
import { describe } from "../link/failures.ts"
import { useFeed } from "../link/run.ts"
import { makeRates } from "../model/rates.ts"
import { Note } from "../parts/Note.tsx"
import { Scope } from "../parts/Scope.tsx"
import { usePage } from "../shell/page.ts"
import { ContentionCard } from "./ContentionCard.tsx"
import { GroupCard } from "./GroupCard.tsx"
import { QueueCard } from "./QueueCard.tsx"

type Recipe =
  | { readonly _tag: "contention"; readonly contention: Contention }
  | { readonly _tag: "queue"; readonly queue: Queue }
  | { readonly _tag: "group"; readonly group: Group }

/** The recipes at and below a path, read again and again: their holders, their waiters, and the lengths of queues. */
export const RecipesView = () => {
  const { cluster, route } = usePage()
  const name = cluster()?.name ?? ""
  const [recipes, setRecipes] = createSignal<ReadonlyMap<string, Recipe>>(new Map())
  const [scan, setScan] = createSignal<Extract<RecipeEvent, { readonly _tag: "scanned" | "progress" }>>()
  const rates = makeRates()

  const feed = useFeed(
    (client) => client.recipes({ cluster: name, path: route().path }),
    (event) => {
      switch (event._tag) {
        case "contention":
          return put(event.contention.path, { _tag: "contention", contention: event.contention })
        case "queue":
          rates.see(event.queue.path, event.queue.items)
          return put(event.queue.path, { _tag: "queue", queue: event.queue })
        case "group":
          return put(event.group.path, { _tag: "group", group: event.group })
        case "ended":
          rates.forget(event.path)
          return void setRecipes((before) => new Map([...before].filter(([path]) => path !== event.path)))
        case "scanned":
          // A queue that stands still is reported no more: its rate is told by the time that has passed.
          rates.looked(event.time)
          return void setScan(event)
        default:
          return void setScan(event)
      }
    },
    () => {
      rates.clear()
      setRecipes(new Map())
      setScan()
    }
  )
  const put = (path: string, recipe: Recipe): void => void setRecipes((before) => new Map(before).set(path, recipe))
  const paths = createMemo(() => [...recipes().keys()].toSorted())
  const failure = createMemo(() => {
    const state = feed()
    return state._tag === "Failed" ? describe(state.error) : undefined
  })
  const isPartial = () => {
    const last = scan()
    return last?._tag === "scanned" && !last.isComplete
  }

  return (
    <div class="view">
      <div class="view-head">
        <h1>Recipes</h1>
        <Scope label="at and below" />
        <span class="muted number" role="status">
          {words(scan(), paths().length)}
        </span>
      </div>
      <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
      <Show when={isPartial()}>
        <Note tone="warn">The subtree is too large to look at all of it. Choose a path further down.</Note>
      </Show>
      <Show
        when={paths().length > 0}
        fallback={
          <Show when={failure() === undefined}>
            <div class="empty panel">
              <h2>{scan()?._tag === "scanned" ? "No recipe here" : "Looking for recipes …"}</h2>
              <p>
                Locks, elections, semaphores, leases, queues, parties, double barriers and instances of services are
                found by their names and data, in the layouts of this library, Curator, kazoo and go. Caches keep
                nothing in znodes, and a barrier looks like any other znode.
              </p>
            </div>
          </Show>
        }
      >
        <ul class="recipes">
          <For each={paths()}>
            {(path) => (
              <li class="panel">
                <Switch>
                  <Match when={contentionAt(recipes(), path)}>
                    {(contention) => <ContentionCard contention={contention()} />}
                  </Match>
                  <Match when={groupAt(recipes(), path)}>{(group) => <GroupCard group={group()} />}</Match>
                  <Match when={queueAt(recipes(), path)}>
                    {(recipe) => <QueueCard queue={recipe().queue} rate={(scan(), rates.of(path))} />}
                  </Match>
                </Switch>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </div>
  )
}

const contentionAt = (recipes: ReadonlyMap<string, Recipe>, path: string): Contention | undefined => {
  const recipe = recipes.get(path)
  return recipe?._tag === "contention" ? recipe.contention : undefined
}

const queueAt = (recipes: ReadonlyMap<string, Recipe>, path: string) => {
  const recipe = recipes.get(path)
  return recipe?._tag === "queue" ? recipe : undefined
}

const groupAt = (recipes: ReadonlyMap<string, Recipe>, path: string): Group | undefined => {
  const recipe = recipes.get(path)
  return recipe?._tag === "group" ? recipe.group : undefined
}

const words = (
  scan: Extract<RecipeEvent, { readonly _tag: "scanned" | "progress" }> | undefined,
  found: number
): string => {
  const visited = scan?.visited.toLocaleString("en")
  if (scan === undefined || scan.visited === 0) return ""
  return scan._tag === "progress" ? `${visited} znodes looked at …` : `${found} in ${visited} znodes`
}
