"""A stand-in for the docker format of Nexus, in front of the real Core.

Sonatype's docker format is closed source; the Core that the sandbox runs lacks it and nothing else. The
launcher starts this package, which starts Core on a port of the loopback address and listens itself where
``nexus.properties`` says. The facts that it stands in for are those of Nexus 3.71.

What it does:

- passes every request on to Core and Core's answer back, but for what follows;
- ``/v1/repositories/{format}/{type}`` of every format that Core lacks: create, read, replace. Core keeps a raw
  repository of the same name and type, so names, blob stores, members, permissions and most refusals are Core's
  own; fields that the version doesn't know are ignored, as Core does. Which kinds and fields there are, and what
  values they take, is in digests of Nexus's descriptions of its API (``tests/data/openapi``): that of the version
  that is played, or the nearest older one, for 3.71 that of 3.74;
- shows such a repository as what it is in ``/v1/repositories``, ``/v1/repositorySettings`` and, for docker one
  component per tag, in ``/v1/components``; deletes it, with its images;
- ``docker``, ``npm`` … for ``raw`` in the names, formats and patterns of privileges and in roles: Core makes the
  privileges, checks them in roles and strips them when the repository goes;
- the DockerToken realm: available, active in the order it was put, and in force;
- ``/v1/security/ldap``, which Core lacks: LDAP servers and their order; from 3.92 on their verification, which
  binds and searches in the directory with ``ldap3``;
- HTTP and HTTPS as Jetty's files have them: connectors, keystore (PKCS#12 or JKS), passwords, protocols, a
  keystore scanner. What Jetty would not start with, this does not start with, and says so in ``nexus.log``;
- a connector of its own for each ``httpPort`` and ``httpsPort``; one that can't be had is logged, and the API
  answers 201 all the same;
- the registry API on the connectors and under ``/repository/<name>/v2/``: challenges, tokens, anonymous pull,
  permissions, write policies. What is pushed is kept by Debian's ``docker-registry``. A proxy fetches from its
  remote, with its login; what the remote refuses or does not answer is unknown to it (404), as with Nexus. A group
  asks its members in their order.

What it does not do, or not as Nexus does:

- repositories of other formats than docker serve nothing;
- a docker proxy keeps nothing of what it fetched, and trusts the authorities of this machine alone;
- nobody logs in with an account of an LDAP server, and groups are not looked up;
- subdomains, the v1 API, cleanup, search and assets of images, ``swagger.json``, the pages of the user interface
  (they show such a repository as raw, and what is changed there is not noticed);
- a privilege for every docker repository (``nx-repository-view-docker-*-read``) is one for every raw
  repository in Core; a role that has it is shown with it, and not with its raw twin;
- content selectors for images;
- the blobs of deleted images and repositories stay on the disk, and all are under the data dir's
  ``blobs/.docker-registry``, whatever blob store the repository names;
- it has an account of its own in Core, an administrator with a random password, to look up what a token's
  user may; the API's list of users leaves it out;
- a keystore that Jetty refuses, or a port that is taken, ends the start at once; Jetty ends it only after Core
  has booted.

``etc/standin.json`` in the data dir can have ``{"play_version": "3.96.0"}``, from one moment to the next: then the
``Server`` header names that version as Community Edition, and

- from 3.77 on ``/v1/system/eula`` is there, and the registry answers 403 until the licence was accepted;
- from 3.83 on docker repositories have ``pathEnabled``, and those where it is true are reached on the application
  ports, at ``/v2/<repository>/<image>/…``, where there is no context path;
- from 3.86 on, looked at when the server is started, Jetty is 12: the paths in its files may be resolved by
  ``resolvePath``, with which Jetty 9 does not start;
- from 3.92 on LDAP servers can be verified;
- from 3.93 on wrong passwords shut an account (``limiter.py``).

Nothing else of that version is played.
"""
