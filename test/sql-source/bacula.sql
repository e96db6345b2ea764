-- The columns of the catalog's table of jobs that the preset reads, with the types that Debian's
-- bacula-director-pgsql 9.6.7-7 gives them.
CREATE TABLE job (
  jobid serial PRIMARY KEY,
  job text NOT NULL,
  name text NOT NULL,
  type char(1) NOT NULL,
  level char(1) NOT NULL,
  clientid integer DEFAULT 0,
  jobstatus char(1) NOT NULL,
  schedtime timestamp without time zone,
  starttime timestamp without time zone,
  endtime timestamp without time zone,
  realendtime timestamp without time zone,
  jobfiles integer DEFAULT 0,
  jobbytes bigint DEFAULT 0,
  joberrors integer DEFAULT 0,
  priorjobid integer DEFAULT 0
);
