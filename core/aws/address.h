/* Where credentials may be asked for without TLS. */
#pragma once

#include <stdbool.h>

struct sockaddr;

/* This machine itself, or one of the link-local addresses that ECS and EKS answer on: 127.0.0.0/8, ::1, 169.254.170.2,
 * 169.254.170.23, fd00:ec2::23.  What a name resolves to is judged, not the name. */
bool mw_aws_is_container_address(const struct sockaddr *address);
