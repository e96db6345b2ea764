import { useCallback, useEffect, useState } from "preact/hooks";
import { isAbort, readApi, RequestFailure } from "../state/client.ts";

export interface PageData<T> {
  readonly data: T | undefined;
  readonly failure: RequestFailure | undefined;
  readonly since: number | undefined;
  readonly retry: () => void;
}

/** Reads a page's data, again every `everyMs` when given; a failure keeps the last good answer. */
export function usePageData<T>(path: string, everyMs?: number): PageData<T> {
  const [state, setState] = useState<{ path: string; data?: T; failure?: RequestFailure; since?: number }>({
    path,
  });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const read = () =>
      readApi<T>(path, stop.signal).then(
        (data) => setState({ path, data }),
        (error: unknown) => {
          if (isAbort(error)) return;
          if (!(error instanceof RequestFailure)) throw error;
          setState((before) => ({
            path,
            ...(before.path === path && before.data !== undefined ? { data: before.data } : {}),
            failure: error,
            since: before.since ?? Date.now(),
          }));
        },
      );
    void read();
    const timer = everyMs === undefined ? undefined : setInterval(() => void read(), everyMs);
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [path, attempt, everyMs]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  const current = state.path === path ? state : { path };
  return {
    data: "data" in current ? current.data : undefined,
    failure: "failure" in current ? current.failure : undefined,
    since: "since" in current ? current.since : undefined,
    retry,
  };
}
