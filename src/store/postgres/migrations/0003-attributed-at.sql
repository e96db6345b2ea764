-- When an event's present answer was given: an answer that is replaced keeps the time at which it was written.
ALTER TABLE isochron.event ADD COLUMN attributed_at timestamptz NOT NULL DEFAULT now();
