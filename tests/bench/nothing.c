/* Ends at once: what is left of a process is its start and its end. */
int main(void)
{
	return 0;
}
