import { useEffect } from "preact/hooks";
import type { NoticeTemplatesJson } from "../../api/tenancy-contract.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { NoticeTemplateCard } from "../ui/notice-template-card.tsx";
import { usePageData } from "../ui/page-data.ts";

/** What tenants are told when something of the provider's own affects them: one text for each situation. */
export function NoticesPage() {
  const { data, failure, since, retry } = usePageData<NoticeTemplatesJson>("notice-templates");
  useEffect(() => void (document.title = "Notices · Isochron"), []);
  return (
    <main class="page">
      <h1>Notices</h1>
      <p class="lead">
        What tenants read when something of yours affects them. No notice names a host, another tenant or your
        staff.
      </p>
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data !== undefined && (
        <ul class="cards">
          {data.templates.map((template) => (
            <NoticeTemplateCard key={template.name} template={template} all={data} reread={retry} />
          ))}
        </ul>
      )}
    </main>
  );
}
