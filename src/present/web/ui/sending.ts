import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { RequestFailure } from "../state/client.ts";

export interface Sending {
  readonly busy: boolean;
  readonly failure: RequestFailure | undefined;
  /** Runs the request; its answer, or undefined where it failed, which `failure` then tells. */
  readonly send: <T>(request: () => Promise<T>) => Promise<{ readonly answer: T } | undefined>;
  readonly forget: () => void;
}

/** One change at a time, with what the server refused it for. */
export function useSending(): Sending {
  const [state, setState] = useState<{ busy: boolean; failure?: RequestFailure }>({ busy: false });
  const gone = useRef(false);
  useEffect(() => () => void (gone.current = true), []);
  const send = useCallback(async <T>(request: () => Promise<T>) => {
    setState({ busy: true });
    try {
      const answer = await request();
      if (!gone.current) setState({ busy: false });
      return { answer };
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      if (!gone.current) setState({ busy: false, failure: error });
      return undefined;
    }
  }, []);
  const forget = useCallback(() => setState({ busy: false }), []);
  return { busy: state.busy, failure: state.failure, send, forget };
}
