import type { RequestFailure } from "../state/client.ts";
import { preferredZone } from "../state/preferences.ts";
import { formatMoment } from "../time/zone.ts";

/** What failed, since when, under which code, and the way to try again. */
export function ErrorNotice(props: {
  failure: RequestFailure;
  since?: number;
  zone?: string;
  retry?: () => void;
}) {
  const { failure, since, retry } = props;
  return (
    <div class="notice notice-error" role="alert">
      <p>
        <strong>{failure.detail}</strong> {failure.remedy}
      </p>
      <p class="notice-facts">
        <code>{failure.code}</code>
        {since !== undefined && <span>since {formatMoment(since, props.zone ?? preferredZone.value)}</span>}
        {failure.requestId !== undefined && (
          <span>
            request <code>{failure.requestId}</code>
          </span>
        )}
        {retry !== undefined && (
          <button type="button" class="control" onClick={retry}>
            Retry
          </button>
        )}
      </p>
    </div>
  );
}
