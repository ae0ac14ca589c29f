BEGIN TRANSACTION;
CREATE TABLE configs (
            name TEXT PRIMARY KEY,
            description TEXT NOT NULL,
            body TEXT NOT NULL,
            create_time INTEGER NOT NULL
        );
INSERT INTO "configs" VALUES('c','','{"spec_id": 2, "worker_server_num": 1}',1795738154802);
CREATE TABLE datasets (
            dataset_id TEXT NOT NULL,
            version_id TEXT NOT NULL,
            url TEXT NOT NULL,
            create_time INTEGER NOT NULL,
            PRIMARY KEY (dataset_id, version_id)
        );
INSERT INTO "datasets" VALUES('ds','v1','obs://bucket/data/',1795738154806);
CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            workspace_id TEXT NOT NULL,
            create_time INTEGER NOT NULL,
            versions_made INTEGER NOT NULL DEFAULT 0,
            version_count INTEGER NOT NULL DEFAULT 0,
            newest_version_id INTEGER,
            delete_asked INTEGER NOT NULL DEFAULT 0
        );
INSERT INTO "jobs" VALUES(1,'kept','a description','0',1795738154790,1,1,1,0);
INSERT INTO "jobs" VALUES(2,'going','','7',1795738154798,1,1,2,1);
INSERT INTO "jobs" VALUES(3,'idle','','0',1795738154802,0,0,NULL,0);
CREATE TABLE versions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            job_id INTEGER NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            pre_version_id INTEGER,
            body TEXT NOT NULL,
            resource_id TEXT NOT NULL,
            status INTEGER NOT NULL,
            create_time INTEGER NOT NULL,
            start_time INTEGER,
            end_time INTEGER,
            reason TEXT,
            ran_on TEXT,
            delete_asked INTEGER NOT NULL DEFAULT 0
        );
INSERT INTO "versions" VALUES(1,1,'V0001',NULL,'{"spec_id": 2, "worker_server_num": 1}','job4a8c2f02',10,1795738154790,1600000000000,1600000005000,NULL,NULL,0);
INSERT INTO "versions" VALUES(2,2,'V0001',NULL,'{"spec_id": 2, "worker_server_num": 1}','job9ebb1fe5',8,1795738154798,1600000000000,NULL,NULL,NULL,1);
CREATE TABLE visualizations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            workspace_id TEXT NOT NULL,
            train_url TEXT NOT NULL,
            hours INTEGER,
            resource_id TEXT NOT NULL,
            status INTEGER NOT NULL,
            create_time INTEGER NOT NULL,
            start_time INTEGER,
            end_time INTEGER,
            reason TEXT,
            port INTEGER,
            pid INTEGER,
            process_started REAL,
            delete_asked INTEGER NOT NULL DEFAULT 0
        );
INSERT INTO "visualizations" VALUES(1,'v','','0','/bucket/x/',1,'visjob5d8a670e',1,1795738154806,NULL,NULL,NULL,NULL,NULL,NULL,0);
CREATE INDEX jobs_by_time ON jobs (create_time, id);
CREATE INDEX versions_by_job ON versions (job_id, id);
CREATE INDEX versions_by_status ON versions (status);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',3);
INSERT INTO "sqlite_sequence" VALUES('versions',2);
INSERT INTO "sqlite_sequence" VALUES('visualizations',1);
COMMIT;
PRAGMA user_version = 1;
